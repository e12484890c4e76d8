// The full resolution of a large picture: 512-px tiles of what is seen, fetched when needed.

import { Shelf } from "./shelf.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").StageImage} StageImage */

export const TILE_PX = 512;
const MAX_TILES = 128; // kept: 128 MB
const MAX_REQUESTS = 4; // at a time: the server has other things to do
const REST_MS = 60; // nothing is fetched while one zooms
const RETRY_MS = 2000;

/**
 * Fetch a picture and decode it off the main thread.
 *
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<ImageBitmap>}
 */
export async function fetchBitmap(url, signal) {
  const response = await fetch(url, { signal, credentials: "same-origin" });
  if (!response.ok) throw new Error(`the picture could not be loaded: the server answered ${response.status} for ${url}`);
  return createImageBitmap(await response.blob());
}

export class Tiles {
  /** @type {Shelf<ImageBitmap>} */
  #kept = new Shelf(MAX_TILES, (bitmap) => bitmap.close());
  /** @type {Map<string, AbortController>} */
  #requests = new Map();
  /** @type {Map<string, number>} tiles that failed, and when they may be tried again */
  #failed = new Map();
  /** @type {StageImage | null} */
  #image = null;
  #scale = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #resting;

  /** @param {() => void} onTile called when another tile can be drawn */
  constructor(onTile) {
    this.onTile = onTile;
  }

  /** @param {StageImage | null} image */
  open(image) {
    this.rest();
    this.#failed.clear();
    this.#kept.clear();
    this.#image = image;
  }

  /** Cancel everything; the tiles at hand stay. */
  rest() {
    clearTimeout(this.#resting);
    for (const request of this.#requests.values()) request.abort();
    this.#requests.clear();
  }

  /**
   * Draw the tiles at hand and fetch those that are missing, from the middle outwards.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} viewport
   */
  draw(context, viewport) {
    const { scale, ratio, left, top } = viewport;
    const seen = this.#seen(viewport);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.imageSmoothingEnabled = !viewport.isCrisp;
    for (const { key, x, y } of seen) {
      const bitmap = this.#kept.get(key);
      if (!bitmap) continue;
      // on whole device pixels, or thin seams would shine through
      const x0 = Math.round((left + x * scale) * ratio);
      const y0 = Math.round((top + y * scale) * ratio);
      const x1 = Math.round((left + (x + bitmap.width) * scale) * ratio);
      const y1 = Math.round((top + (y + bitmap.height) * scale) * ratio);
      context.drawImage(bitmap, x0, y0, x1 - x0, y1 - y0);
    }
    this.#cancelAllBut(seen);
    clearTimeout(this.#resting);
    if (scale === this.#scale) this.#fetch(seen);
    else this.#resting = setTimeout(() => this.#fetch(seen), REST_MS);
    this.#scale = scale;
  }

  /**
   * @param {Viewport} viewport
   * @returns {{key: string, col: number, row: number, x: number, y: number}[]}
   */
  #seen(viewport) {
    const [x0, y0, x1, y1] = viewport.visible();
    const seen = [];
    for (let row = Math.floor(y0 / TILE_PX); row * TILE_PX < y1; row++) {
      for (let col = Math.floor(x0 / TILE_PX); col * TILE_PX < x1; col++) {
        seen.push({ key: `${col}/${row}`, col, row, x: col * TILE_PX, y: row * TILE_PX });
      }
    }
    const [middleX, middleY] = [(x0 + x1 - TILE_PX) / 2, (y0 + y1 - TILE_PX) / 2];
    /** @param {{x: number, y: number}} tile */
    const distance = ({ x, y }) => Math.hypot(x - middleX, y - middleY);
    return seen.sort((a, b) => distance(a) - distance(b));
  }

  /** @param {{key: string}[]} wanted */
  #cancelAllBut(wanted) {
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, request] of this.#requests) {
      if (keys.has(key)) continue;
      request.abort();
      this.#requests.delete(key);
    }
  }

  /** @param {{key: string, col: number, row: number}[]} wanted */
  #fetch(wanted) {
    for (const { key, col, row } of wanted.slice(0, MAX_TILES)) {
      if (this.#requests.size >= MAX_REQUESTS) return;
      if (this.#requests.has(key) || this.#kept.get(key) || (this.#failed.get(key) ?? 0) > Date.now()) continue;
      void this.#load(key, col, row);
    }
  }

  /**
   * @param {string} key
   * @param {number} col
   * @param {number} row
   */
  async #load(key, col, row) {
    const image = this.#image;
    if (!image) return;
    const request = new AbortController();
    this.#requests.set(key, request);
    try {
      const bitmap = await fetchBitmap(image.tileUrl(col, row), request.signal);
      if (request.signal.aborted) bitmap.close();
      else this.#kept.put(key, bitmap, 1);
    } catch {
      // the reduced picture stays in its place; the next repaint after the pause tries again
      if (!request.signal.aborted) this.#failed.set(key, Date.now() + RETRY_MS);
    }
    if (this.#requests.get(key) === request) this.#requests.delete(key);
    if (!request.signal.aborted) this.onTile();
  }
}
