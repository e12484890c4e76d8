// Brush and eraser: the points of a stroke, the ink while it is drawn, and the mask that it makes.

import { Mask } from "./masks.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").Point} Point */
/** @typedef {"brush" | "eraser"} Pen */

const MIN_STEP_PX = 0.5; // image pixels; closer points are noise of the hand
const MAX_POINTS = 10_000; // the server takes 20 000; a longer stroke becomes two
const GRID = 64; // positions are rounded to 1/64 px, the resolution the server draws at

/**
 * @param {number} value image pixels
 * @returns {number} rounded to what is worth sending
 */
export function tidy(value) {
  return Math.round(value * GRID) / GRID;
}

/** A stroke that grows. Its points are in image pixels. */
export class Stroke {
  /** @type {[number, number][]} */
  points;
  /** The end that is drawn already but too close to the last point to be one. @type {[number, number]} */
  tip;

  /**
   * @param {Pen} tool
   * @param {number} radius in image pixels
   * @param {Point} start
   * @param {number} id
   */
  constructor(tool, radius, { x, y }, id) {
    this.tool = tool;
    this.radius = radius;
    this.id = id;
    this.tip = [tidy(x), tidy(y)];
    this.points = [this.tip];
  }

  get isFull() {
    return this.points.length >= MAX_POINTS;
  }

  /** @param {Point} point */
  add({ x, y }) {
    this.tip = [tidy(x), tidy(y)];
    const [lastX, lastY] = this.points[this.points.length - 1];
    const step = Math.max(MIN_STEP_PX, this.radius / 6);
    if (Math.hypot(this.tip[0] - lastX, this.tip[1] - lastY) >= step) this.points.push(this.tip);
  }

  /** Keep the very end. */
  finish() {
    const [lastX, lastY] = this.points[this.points.length - 1];
    if (this.tip[0] !== lastX || this.tip[1] !== lastY) this.points.push(this.tip);
  }
}

/**
 * Draw a piece of a stroke straight into the layer of the active object. Ink replaces what it
 * covers, so that crossing itself or the mask makes it no darker.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} viewport
 * @param {[number, number][]} points in image pixels
 * @param {number} radius in image pixels
 * @param {{style: string | CanvasPattern, alpha: number} | null} ink null erases
 */
export function drawInk(context, viewport, points, radius, ink) {
  if (!points.length) return;
  const { ratio } = viewport;
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0); // a pattern would be scaled with anything else
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = Math.max(1, 2 * radius * viewport.scale * ratio);
  context.beginPath();
  points.forEach(([imageX, imageY], index) => {
    const { x, y } = viewport.toScreen(imageX, imageY);
    if (index === 0) context.moveTo(x * ratio, y * ratio);
    if (index > 0 || points.length === 1) context.lineTo(x * ratio, y * ratio); // a line of no length is a disc
  });
  context.strokeStyle = "#000";
  context.globalCompositeOperation = "destination-out";
  context.stroke();
  if (ink) {
    context.strokeStyle = ink.style;
    context.globalAlpha = ink.alpha;
    context.globalCompositeOperation = "lighter"; // sums up at soft edges: no seams between pieces
    context.stroke();
  }
  context.restore();
}

/**
 * The mask after a stroke, as the server will answer it save for single pixels at the edge.
 *
 * @param {Mask} mask
 * @param {Pick<Stroke, "tool" | "radius" | "points">} stroke
 * @param {number} imageWidth
 * @returns {Mask}
 */
export function applyStroke(mask, stroke, imageWidth) {
  const scale = mask.width / imageWidth;
  const radius = Math.max(0.5, stroke.radius * scale);
  const points = stroke.points.map(
    ([x, y]) => /** @type {[number, number]} */ ([(x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5]),
  );
  const isBrush = stroke.tool === "brush";
  if (!isBrush && !mask.box) return mask;
  const within = isBrush ? grownBox(mask, points, radius) : mask.box;
  if (!within) return mask;
  const width = within[2] - within[0];
  const data = new Uint8Array(width * (within[3] - within[1]));
  const raster = mask.raster();
  if (raster) {
    for (let row = 0; row < raster.height; row++) {
      const from = raster.data.subarray(row * raster.width, (row + 1) * raster.width);
      data.set(from, (raster.y0 + row - within[1]) * width + raster.x0 - within[0]);
    }
  }
  const value = isBrush ? 1 : 0;
  points.forEach((point, index) => fillPill(data, within, points[Math.max(0, index - 1)], point, radius, value));
  return Mask.fromPixels(mask.width, mask.height, within, data);
}

/**
 * @param {Mask} mask
 * @param {[number, number][]} points
 * @param {number} radius
 * @returns {[number, number, number, number] | null} null when nothing is in the mask's grid
 */
function grownBox(mask, points, radius) {
  let [x0, y0, x1, y1] = mask.box ?? [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    x0 = Math.min(x0, Math.floor(x - radius));
    y0 = Math.min(y0, Math.floor(y - radius));
    x1 = Math.max(x1, Math.ceil(x + radius) + 1);
    y1 = Math.max(y1, Math.ceil(y + radius) + 1);
  }
  [x0, y0] = [Math.max(0, x0), Math.max(0, y0)];
  [x1, y1] = [Math.min(mask.width, x1), Math.min(mask.height, y1)];
  return x1 > x0 && y1 > y0 ? [x0, y0, x1, y1] : null;
}

/**
 * Set all pixels whose centre is at most `radius` from a line: row by row one span, because the
 * shape is convex.
 *
 * @param {Uint8Array} data
 * @param {[number, number, number, number]} within
 * @param {[number, number]} start
 * @param {[number, number]} end
 * @param {number} radius
 * @param {number} value
 */
function fillPill(data, [x0, y0, x1, y1], [startX, startY], [endX, endY], radius, value) {
  const length = Math.hypot(endX - startX, endY - startY);
  const acrossX = length ? (-(endY - startY) / length) * radius : 0;
  const acrossY = length ? ((endX - startX) / length) * radius : 0;
  const corners = [
    [startX + acrossX, startY + acrossY], [endX + acrossX, endY + acrossY],
    [endX - acrossX, endY - acrossY], [startX - acrossX, startY - acrossY],
  ];
  const first = Math.max(y0, Math.ceil(Math.min(startY, endY) - radius));
  const last = Math.min(y1 - 1, Math.floor(Math.max(startY, endY) + radius));
  for (let y = first; y <= last; y++) {
    let low = Infinity;
    let high = -Infinity;
    for (const [x, centre] of [[startX, startY], [endX, endY]]) {
      const square = radius * radius - (y - centre) ** 2;
      if (square < 0) continue;
      low = Math.min(low, x - Math.sqrt(square));
      high = Math.max(high, x + Math.sqrt(square));
    }
    for (let at = 0; length && at < 4; at++) {
      const [fromX, fromY] = corners[at];
      const [toX, toY] = corners[(at + 1) % 4];
      if (fromY === toY || y < Math.min(fromY, toY) || y > Math.max(fromY, toY)) continue;
      const x = fromX + ((toX - fromX) * (y - fromY)) / (toY - fromY);
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    const from = Math.max(x0, Math.ceil(low));
    const to = Math.min(x1 - 1, Math.floor(high));
    if (to >= from) data.fill(value, (y - y0) * (x1 - x0) + from - x0, (y - y0) * (x1 - x0) + to - x0 + 1);
  }
}
