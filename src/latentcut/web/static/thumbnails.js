// Small pictures of candidates: the mask in colour, everything else dimmed.

import { drawSmooth, traceRings } from "./outlines.js";
import { colourOf, rimOf } from "./palette.js";

/** @typedef {import("./masks.js").Mask} Mask */

/** @typedef {(HTMLImageElement | HTMLCanvasElement | ImageBitmap | OffscreenCanvas)} Picture */

/**
 * The part of a picture that shows all of some masks: the same for each of them, so that their
 * differences are seen.
 *
 * @param {readonly (Mask | null)[]} masks
 * @param {number} [aspect] width by height of the thumbnails
 * @returns {[number, number, number, number]} x0, y0, x1, y1, as shares of the picture, 0 to 1
 */
export function sharedView(masks, aspect = 1) {
  const found = masks.filter((mask) => mask !== null && mask.box !== null);
  const largest = found.reduce((most, mask) => Math.max(most, mask?.width ?? 0), 0);
  if (!largest) return [0, 0, 1, 1];
  const [first] = found;
  const [imageWidth, imageHeight] = [first?.width ?? 1, first?.height ?? 1];
  let [x0, y0, x1, y1] = [1, 1, 0, 0];
  for (const mask of found) {
    if (!mask?.box) continue;
    x0 = Math.min(x0, mask.box[0] / mask.width);
    y0 = Math.min(y0, mask.box[1] / mask.height);
    x1 = Math.max(x1, mask.box[2] / mask.width);
    y1 = Math.max(y1, mask.box[3] / mask.height);
  }
  const margin = 0.12;
  const boxWidth = (x1 - x0) * imageWidth * (1 + 2 * margin);
  const boxHeight = (y1 - y0) * imageHeight * (1 + 2 * margin);
  const width = Math.min(1, Math.max(boxWidth, boxHeight * aspect, 24) / imageWidth);
  const height = Math.min(1, Math.max(boxHeight, boxWidth / aspect, 24) / imageHeight);
  const left = Math.min(Math.max((x0 + x1 - width) / 2, 0), 1 - width);
  const top = Math.min(Math.max((y0 + y1 - height) / 2, 0), 1 - height);
  return [left, top, left + width, top + height];
}

/**
 * Draw a picture with a mask on it, as large as it fits into a canvas, in its middle.
 *
 * @param {HTMLCanvasElement} canvas its width and height are used as they are
 * @param {Picture | null} picture
 * @param {Mask | null} mask of any resolution
 * @param {number} colour index into the palette
 * @param {[number, number, number, number]} [view] part of the picture, as `sharedView` returns it
 */
export function drawThumbnail(canvas, picture, mask, colour, view = [0, 0, 1, 1]) {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!picture || !picture.width || !picture.height) return;
  const [x0, y0, x1, y1] = view;
  const [partWidth, partHeight] = [(x1 - x0) * picture.width, (y1 - y0) * picture.height];
  const scale = Math.min(canvas.width / partWidth, canvas.height / partHeight);
  const [left, top] = [(canvas.width - partWidth * scale) / 2, (canvas.height - partHeight * scale) / 2];
  context.save();
  context.beginPath();
  context.rect(left, top, partWidth * scale, partHeight * scale);
  context.clip();
  context.imageSmoothingQuality = "high";
  context.drawImage(
    picture, x0 * picture.width, y0 * picture.height, partWidth, partHeight,
    left, top, partWidth * scale, partHeight * scale,
  );
  if (mask) {
    const perMaskPixel = (picture.width * scale) / mask.width;
    drawMask(context, mask, colour, perMaskPixel, left - x0 * picture.width * scale, top - y0 * picture.height * scale);
  }
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Mask} mask
 * @param {number} colour
 * @param {number} scale canvas pixels per mask pixel
 * @param {number} left of the whole mask on the canvas
 * @param {number} top
 */
function drawMask(context, mask, colour, scale, left, top) {
  const raster = mask.raster(Math.max(0, Math.floor(-Math.log2(scale))));
  const outline = new Path2D();
  let perBlock = scale;
  if (raster) {
    perBlock = scale * raster.step;
    drawSmooth(outline, traceRings(raster));
    context.setTransform(perBlock, 0, 0, perBlock, left + raster.x0 * scale, top + raster.y0 * scale);
  }
  const surroundings = new Path2D();
  surroundings.addPath(outline);
  const far = 1e5;
  surroundings.rect(-far, -far, 2 * far, 2 * far);
  context.fillStyle = "rgba(10, 12, 18, 0.62)";
  context.fill(surroundings, "evenodd");
  context.globalAlpha = 0.28;
  context.fillStyle = colourOf(colour);
  context.fill(outline, "evenodd");
  context.globalAlpha = 1;
  context.lineJoin = "round";
  context.strokeStyle = rimOf(colour, 0.6);
  context.lineWidth = 3.5 / perBlock;
  context.stroke(outline);
  context.strokeStyle = colourOf(colour);
  context.lineWidth = 2 / perBlock;
  context.stroke(outline);
}
