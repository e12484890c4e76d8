/** How a candidate differs from the selected one, in two words; and what its numbers mean. */

/** @import { Mask } from "./masks.js" */

const SAMPLES = 72; // along the longer side of the box around both masks
const SAME_SHARE = 0.97;
const INSIDE_SHARE = 0.93;

/**
 * What another mask is to the selected one, from a coarse grid of samples.
 *
 * @param {Mask} mask
 * @param {Mask} selected  of the same resolution
 * @returns {string}
 */
export function differenceHint(mask, selected) {
  if (mask === selected) return "selected";
  if (!mask.box) return "nothing";
  if (!selected.box) return "something";
  const { inBoth, inMask, inSelected } = overlap(mask, selected);
  const union = inMask + inSelected - inBoth;
  if (inBoth >= SAME_SHARE * union) return "same";
  const ratio = mask.area / Math.max(selected.area, 1);
  if (inBoth >= INSIDE_SHARE * inMask && ratio < 0.9) return ratio < 0.05 ? "tiny part" : `part ${times(ratio)}`;
  if (inBoth >= INSIDE_SHARE * inSelected && ratio > 1.1) return `whole ${times(ratio)}`;
  if (inBoth < 0.05 * union) return "other thing";
  if (ratio > 1.1) return `${times(ratio)} larger`;
  if (ratio < 0.9) return `${times(1 / ratio)} smaller`;
  return "differs";
}

/** @param {number} ratio */
function times(ratio) {
  const digits = ratio < 0.1 ? 2 : ratio < 9.95 ? 1 : 0;
  return `×${ratio.toFixed(digits)}`;
}

/**
 * @param {Mask} first
 * @param {Mask} second
 */
function overlap(first, second) {
  const [a0, b0, a1, b1] = first.box ?? [0, 0, 0, 0];
  const [c0, d0, c1, d1] = second.box ?? [0, 0, 0, 0];
  const [x0, y0] = [Math.min(a0, c0), Math.min(b0, d0)];
  const [width, height] = [Math.max(a1, c1) - x0, Math.max(b1, d1) - y0];
  const step = Math.max(1, Math.max(width, height) / SAMPLES);
  let [inBoth, inMask, inSelected] = [0, 0, 0];
  for (let y = step / 2; y < height; y += step) {
    for (let x = step / 2; x < width; x += step) {
      const inFirst = first.has(Math.floor(x0 + x), Math.floor(y0 + y));
      const inSecond = second.has(Math.floor(x0 + x), Math.floor(y0 + y));
      inMask += Number(inFirst);
      inSelected += Number(inSecond);
      inBoth += Number(inFirst && inSecond);
    }
  }
  return { inBoth, inMask, inSelected };
}

/**
 * The expected IoU in a word.
 *
 * @param {number} iou
 */
export function qualityWord(iou) {
  if (iou >= 0.9) return "very good";
  if (iou >= 0.8) return "good";
  if (iou >= 0.65) return "fair";
  return "rough";
}
