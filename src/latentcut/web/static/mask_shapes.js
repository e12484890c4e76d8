// Masks made ready for drawing, kept while there is room: outlines as paths, silhouettes as bitmaps.

import { drawExact, drawSmooth, drawWithin, traceRings } from "./outlines.js";
import { Shelf } from "./shelf.js";

/** @typedef {import("./masks.js").Mask} Mask */
/** @typedef {import("./masks.js").Raster} Raster */
/** @typedef {import("./outlines.js").Rings} Rings */

/**
 * A mask as a path in blocks of `step` mask pixels, from mask pixel (x0, y0).
 *
 * @typedef {object} Outline
 * @property {Path2D} path
 * @property {Rings} rings
 * @property {number} x0
 * @property {number} y0
 * @property {number} step
 * @property {number} numCorners
 */

/** @typedef {{canvas: HTMLCanvasElement, x0: number, y0: number, step: number}} Silhouette */

const MAX_BITMAP_PIXELS = 4_000_000; // of one silhouette
const MAX_KEPT_PIXELS = 24_000_000; // of all of them: 96 MB
const MAX_KEPT_CORNERS = 1_000_000;
const MAX_CORNERS = 60_000; // of one outline; noise with more is drawn from a reduced mask
const MAX_FILLED_CORNERS = 20_000; // beyond it a bitmap is faster
const MANY_CORNERS = 3000; // beyond it only what is seen is stroked at a close look

export class MaskShapes {
  /** @type {Shelf<Silhouette>} */
  #silhouettes = new Shelf(MAX_KEPT_PIXELS);
  /** @type {Shelf<Outline>} */
  #outlines = new Shelf(MAX_KEPT_CORNERS);

  clear() {
    this.#silhouettes.clear();
    this.#outlines.clear();
  }

  /**
   * The level of reduction at which a block of the mask is 0.5 to 1 device pixels large.
   *
   * @param {number} scale device pixels per mask pixel
   */
  static level(scale) {
    return Math.max(0, Math.floor(-Math.log2(scale) + 1e-9));
  }

  /**
   * @param {Mask} mask
   * @param {number} level
   * @param {boolean} isExact along the pixels' edges; otherwise smoothed
   * @returns {Outline | null} null when it is empty
   */
  outline(mask, level, isExact) {
    if (!mask.box) return null;
    const key = `${mask.serial}/${level}/${isExact}`;
    const kept = this.#outlines.get(key);
    if (kept) return kept;
    let raster = /** @type {Raster} */ (mask.raster(level));
    let rings = traceRings(raster);
    while (rings.corners.length / 2 > MAX_CORNERS && level < 16) {
      raster = /** @type {Raster} */ (mask.raster(++level));
      rings = traceRings(raster);
    }
    const path = new Path2D();
    (isExact ? drawExact : drawSmooth)(path, rings);
    const { x0, y0, step } = raster;
    const made = { path, rings, x0, y0, step, numCorners: rings.corners.length / 2 };
    this.#outlines.put(key, made, made.numCorners + 1);
    return made;
  }

  /**
   * What to stroke of an outline: all of it, or of a long one what a window shows.
   *
   * @param {Outline} outline
   * @param {boolean} isExact
   * @param {[number, number, number, number]} window x0, y0, x1, y1 in blocks
   * @returns {Path2D}
   */
  static visible(outline, isExact, window) {
    if (!isExact || outline.numCorners <= MANY_CORNERS) return outline.path;
    const path = new Path2D();
    drawWithin(path, outline.rings, window);
    return path;
  }

  /** @param {Outline} outline */
  static isFillable(outline) {
    return outline.numCorners <= MAX_FILLED_CORNERS;
  }

  /**
   * A mask in one opaque colour, for those whose outline is too long to be filled.
   *
   * @param {Mask} mask
   * @param {string} colour #rrggbb
   * @param {number} level
   * @returns {Silhouette | null} null when it is empty
   */
  silhouette(mask, colour, level) {
    if (!mask.box) return null;
    const [x0, y0, x1, y1] = mask.box;
    while ((x1 - x0) * (y1 - y0) > MAX_BITMAP_PIXELS * 4 ** level) level += 1;
    const key = `${mask.serial}/${colour}/${level}`;
    const kept = this.#silhouettes.get(key);
    if (kept) return kept;
    const raster = /** @type {Raster} */ (mask.raster(level));
    const made = { canvas: paint(raster, colour), x0, y0, step: raster.step };
    this.#silhouettes.put(key, made, raster.data.length);
    return made;
  }
}

/**
 * @param {Raster} raster
 * @param {string} colour
 * @returns {HTMLCanvasElement}
 */
function paint({ width, height, data }, colour) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const pixels = context.createImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const [word] = new Uint32Array(Uint8Array.of(red, green, blue, 255).buffer); // in this machine's byte order
  for (let at = 0; at < data.length; at++) if (data[at]) words[at] = word;
  context.putImageData(pixels, 0, 0);
  return canvas;
}
