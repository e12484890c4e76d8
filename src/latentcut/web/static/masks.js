// Masks in the page: COCO run lengths in, pixels, boxes and reduced versions out. No DOM is touched
// here, so that Node can test it; drawing is done by painter.js and thumbnails.js.

/** @typedef {import("./stage_types.js").Rle} Rle */

/**
 * Part of a mask as pixels: `data[row * width + column]` is 1 where the mask is on.
 *
 * @typedef {object} Raster
 * @property {number} x0 first column, in mask pixels
 * @property {number} y0 first row
 * @property {number} width in blocks of `step` x `step` mask pixels
 * @property {number} height in blocks
 * @property {number} step
 * @property {Uint8Array} data
 */

export { drawThumbnail, sharedView } from "./thumbnails.js";

const FIRST_CHARACTER = 48; // "0"
const MAX_CHARACTERS = 7; // 35 bits: any difference of two counts of 32 bits
const MAX_KEPT_PIXELS = 4_000_000; // rasters beyond it are made again whenever they are needed
let numMasks = 0;

/**
 * Pixels per run of COCO's count string, in turn off, on, off, ...
 *
 * Each number is cut into groups of 5 bits, lowest first; bit 5 of a character says that more
 * follow, bit 4 of the last one is the sign. From the fourth on, a number is the difference to
 * the one two before.
 *
 * @param {string} counts
 * @returns {Uint32Array}
 */
export function decodeCounts(counts) {
  const numbers = new Uint32Array(counts.length);
  let num = 0;
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let place = 1;
    let code = 32;
    for (let length = 1; code & 32; length++) {
      code = counts.charCodeAt(at++) - FIRST_CHARACTER; // NaN at the end
      if (!(code >= 0 && code <= 63) || length > MAX_CHARACTERS) {
        throw new RangeError("counts is no COCO count string: it is cut off or has other characters than '0' to 'o'");
      }
      value += (code & 31) * place;
      place *= 32;
    }
    if (code & 16) value -= place;
    if (num > 2) value += numbers[num - 2];
    if (value < 0 || value > 0xffffffff) throw new RangeError("counts has a negative or too large run");
    numbers[num++] = value;
  }
  return numbers.slice(0, num);
}

/** A mask: which pixels of a `width` x `height` grid are on. Immutable. */
export class Mask {
  /** @type {Raster[]} */
  #levels = [];
  /** @type {Uint32Array | null} starts and ends of the runs that are on, column by column */
  #runs = null;

  /**
   * Use `Mask.fromRle`, `Mask.fromPixels` or `Mask.empty`.
   *
   * @param {number} width
   * @param {number} height
   * @param {[number, number, number, number] | null} box half-open x0, y0, x1, y1; null when empty
   * @param {number} area
   */
  constructor(width, height, box, area) {
    this.width = width;
    this.height = height;
    this.box = box;
    this.area = area;
    /** Tells masks apart in caches. */
    this.serial = ++numMasks;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  static empty(width, height) {
    return new Mask(width, height, null, 0);
  }

  /**
   * @param {Rle | {size: number[], counts: number[]}} rle size is [height, width]
   * @returns {Mask}
   */
  static fromRle({ size, counts }) {
    const [height, width] = size;
    const lengths = typeof counts === "string" ? decodeCounts(counts) : Uint32Array.from(counts);
    const runs = new Uint32Array(lengths.length + 1);
    let num = 0;
    let at = 0;
    let area = 0;
    lengths.forEach((length, index) => {
      if (index % 2 && length) {
        runs[num++] = at;
        runs[num++] = at + length;
        area += length;
      }
      at += length;
    });
    if (at !== width * height) {
      throw new RangeError(`counts add up to ${at}, not to ${height} x ${width} = ${width * height}`);
    }
    const found = runs.slice(0, num);
    const mask = new Mask(width, height, boxOfRuns(found, height), area);
    mask.#runs = found;
    return mask;
  }

  /**
   * A mask of pixels given row by row.
   *
   * @param {number} width of the whole grid
   * @param {number} height
   * @param {[number, number, number, number]} within half-open part of the grid that `data` holds
   * @param {Uint8Array} data zeros and ones
   * @returns {Mask}
   */
  static fromPixels(width, height, within, data) {
    const [x0, y0, x1, y1] = within;
    const raster = { x0, y0, width: x1 - x0, height: y1 - y0, step: 1, data };
    const { box, area } = boxOfRaster(raster);
    const mask = new Mask(width, height, box, area);
    if (box) mask.#levels[0] = cut(raster, box);
    return mask;
  }

  /**
   * Whether a pixel of the mask's own grid is on; false outside.
   *
   * @param {number} x column, a whole number
   * @param {number} y row
   */
  has(x, y) {
    if (!this.box || x < this.box[0] || y < this.box[1] || x >= this.box[2] || y >= this.box[3]) return false;
    if (this.#levels[0]) {
      const { x0, y0, width, data } = this.#levels[0];
      return data[(y - y0) * width + x - x0] === 1;
    }
    const runs = /** @type {Uint32Array} */ (this.#runs);
    const wanted = x * this.height + y;
    let low = 0; // number of bounds at or before the pixel, by bisection; odd: inside a run
    let high = runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (runs[middle] <= wanted) low = middle + 1;
      else high = middle;
    }
    return low % 2 === 1;
  }

  /**
   * Whether the mask holds a point of the picture it belongs to, whatever its own resolution.
   *
   * @param {number} x in image pixels from the centre of the top-left one
   * @param {number} y
   * @param {number} imageWidth
   * @param {number} imageHeight
   */
  hasPoint(x, y, imageWidth, imageHeight) {
    return this.has(
      Math.floor(((x + 0.5) * this.width) / imageWidth),
      Math.floor(((y + 0.5) * this.height) / imageHeight),
    );
  }

  /**
   * The mask's pixels, or those of a reduced version: every level halves the one before. A block
   * is on where at least two of its four are, so that thin lines do not break.
   *
   * @param {number} [level]
   * @returns {Raster | null} around the box; null when the mask is empty
   */
  raster(level = 0) {
    if (!this.box) return null;
    const kept = this.#levels[level];
    if (kept) return kept;
    const raster = level ? halve(/** @type {Raster} */ (this.raster(level - 1))) : this.#pixels(this.box);
    if (raster.data.length <= MAX_KEPT_PIXELS) this.#levels[level] = raster;
    return raster;
  }

  /**
   * @param {[number, number, number, number]} box
   * @returns {Raster}
   */
  #pixels([x0, y0, x1, y1]) {
    const width = x1 - x0;
    const data = new Uint8Array(width * (y1 - y0));
    const runs = /** @type {Uint32Array} */ (this.#runs);
    for (let run = 0; run < runs.length; run += 2) {
      let x = Math.floor(runs[run] / this.height);
      let y = runs[run] - x * this.height;
      for (let left = runs[run + 1] - runs[run]; left > 0; ) {
        const num = Math.min(left, this.height - y);
        let at = (y - y0) * width + x - x0;
        for (let row = 0; row < num; row++, at += width) data[at] = 1;
        left -= num;
        x += 1;
        y = 0;
      }
    }
    return { x0, y0, width, height: y1 - y0, step: 1, data };
  }
}

/**
 * @param {Uint32Array} runs
 * @param {number} height
 * @returns {[number, number, number, number] | null}
 */
function boxOfRuns(runs, height) {
  if (!runs.length) return null;
  let y0 = height;
  let y1 = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const top = runs[run] % height;
    const bottom = top + runs[run + 1] - runs[run];
    if (bottom > height) {
      // it goes on in the next column, from the top
      y0 = 0;
      y1 = height;
      break;
    }
    y0 = Math.min(y0, top);
    y1 = Math.max(y1, bottom);
  }
  const last = runs[runs.length - 1] - 1;
  return [Math.floor(runs[0] / height), y0, Math.floor(last / height) + 1, y1];
}

/**
 * @param {Raster} raster
 * @returns {{box: [number, number, number, number] | null, area: number}}
 */
function boxOfRaster({ x0, y0, width, height, data }) {
  let area = 0;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(1);
    if (first < 0) continue;
    const last = row.lastIndexOf(1);
    for (let x = first; x <= last; x++) area += row[x];
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
    top = Math.min(top, y);
    bottom = y + 1;
  }
  return { area, box: area ? [x0 + left, y0 + top, x0 + right, y0 + bottom] : null };
}

/**
 * @param {Raster} raster
 * @param {[number, number, number, number]} box
 * @returns {Raster}
 */
function cut(raster, [x0, y0, x1, y1]) {
  const width = x1 - x0;
  const data = new Uint8Array(width * (y1 - y0));
  for (let y = y0; y < y1; y++) {
    const from = (y - raster.y0) * raster.width + x0 - raster.x0;
    data.set(raster.data.subarray(from, from + width), (y - y0) * width);
  }
  return { x0, y0, width, height: y1 - y0, step: 1, data };
}

/**
 * @param {Raster} raster
 * @returns {Raster}
 */
function halve({ x0, y0, width, height, step, data }) {
  const columns = (width + 1) >> 1;
  const rows = (height + 1) >> 1;
  const half = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const upper = 2 * row * width;
    const lower = 2 * row + 1 < height ? upper + width : -1;
    for (let column = 0; column < columns; column++) {
      const x = 2 * column;
      const hasRight = x + 1 < width;
      let num = data[upper + x] + (hasRight ? data[upper + x + 1] : 0);
      if (lower >= 0) num += data[lower + x] + (hasRight ? data[lower + x + 1] : 0);
      half[row * columns + column] = num > 1 ? 1 : 0;
    }
  }
  return { x0, y0, width: columns, height: rows, step: 2 * step, data: half };
}
