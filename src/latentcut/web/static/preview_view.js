/** Which part of the picture the candidate previews show. */

/** @import { Mask } from "./masks.js" */

const STRAY_SHARE = 0.02; // of a mask's area, at each side, that may fall outside: specks
const MARGIN = 0.15;
const MIN_SIDE_PX = 24;
const MAX_RASTER_PX = 60_000;

/**
 * The part that holds the bulk of some masks, the same for all previews, so that their differences
 * are seen.
 *
 * @param {Mask[]} masks  of one resolution
 * @param {number} aspect  width by height of the previews
 * @returns {[number, number, number, number]}  x0, y0, x1, y1 as shares of the picture
 */
export function previewView(masks, aspect) {
  const boxes = masks.flatMap((mask) => bulkBox(mask) ?? []);
  const [first] = masks;
  if (!first || boxes.length === 0) return [0, 0, 1, 1];
  const x0 = Math.min(...boxes.map((box) => box[0]));
  const y0 = Math.min(...boxes.map((box) => box[1]));
  const x1 = Math.max(...boxes.map((box) => box[2]));
  const y1 = Math.max(...boxes.map((box) => box[3]));
  const wide = Math.max((x1 - x0) * (1 + 2 * MARGIN), MIN_SIDE_PX);
  const high = Math.max((y1 - y0) * (1 + 2 * MARGIN), MIN_SIDE_PX);
  const width = Math.min(first.width, Math.max(wide, high * aspect));
  const height = Math.min(first.height, Math.max(high, wide / aspect));
  const left = clamp((x0 + x1 - width) / 2, first.width - width);
  const top = clamp((y0 + y1 - height) / 2, first.height - height);
  return [left / first.width, top / first.height, (left + width) / first.width, (top + height) / first.height];
}

/** @param {number} value @param {number} most */
function clamp(value, most) {
  return Math.max(0, Math.min(most, value));
}

/**
 * Box around a mask without its specks.
 *
 * @param {Mask} mask
 * @returns {[number, number, number, number][] | null}  one box, in a list; null when it is empty
 */
function bulkBox(mask) {
  const level = Math.max(0, Math.ceil(Math.log2(Math.sqrt(mask.area / MAX_RASTER_PX))));
  const raster = mask.raster(level);
  if (!raster) return null;
  const { x0, y0, width, height, step, data } = raster;
  const columns = new Float64Array(width);
  const rows = new Float64Array(height);
  data.forEach((on, at) => {
    if (!on) return;
    columns[at % width] = (columns[at % width] ?? 0) + 1;
    const row = Math.floor(at / width);
    rows[row] = (rows[row] ?? 0) + 1;
  });
  const [left, right] = bulk(columns);
  const [top, bottom] = bulk(rows);
  return [[x0 + left * step, y0 + top * step, x0 + right * step, y0 + bottom * step]];
}

/**
 * Where the counts begin and end, less a small share at each end.
 *
 * @param {Float64Array} counts
 * @returns {[number, number]}  half-open
 */
function bulk(counts) {
  const stray = STRAY_SHARE * counts.reduce((sum, count) => sum + count, 0);
  let [first, last, before, after] = [0, counts.length - 1, 0, 0];
  while (first < last && (before += counts[first] ?? 0) <= stray) first += 1;
  while (last > first && (after += counts[last] ?? 0) <= stray) last -= 1;
  return [first, last + 1];
}
