// The canvases of the stage, one above the other, and the frames in which they are repainted.

/** @typedef {"picture" | "masks" | "active" | "overlay"} LayerName */

/** @type {readonly LayerName[]} bottom first */
export const LAYER_NAMES = ["picture", "masks", "active", "overlay"];

export class Layers {
  /** @type {Record<LayerName, CanvasRenderingContext2D>} */
  contexts;
  /** @type {Set<LayerName>} */
  #dirty = new Set(LAYER_NAMES);
  #frame = 0;
  #observer;

  /**
   * @param {HTMLElement} container
   * @param {object} hooks
   * @param {(now: number, dirty: Set<LayerName>) => void} hooks.onFrame paints; may ask for more
   * @param {(width: number, height: number, ratio: number) => void} hooks.onResize CSS pixels
   */
  constructor(container, { onFrame, onResize }) {
    this.onFrame = onFrame;
    const made = LAYER_NAMES.map((name) => [name, makeContext(container, name)]);
    this.contexts = Object.fromEntries(made);
    this.#observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      const ratio = globalThis.devicePixelRatio || 1;
      const device = entry.devicePixelContentBoxSize?.[0];
      const columns = deviceLength(width * ratio, device?.inlineSize);
      const rows = deviceLength(height * ratio, device?.blockSize);
      for (const { canvas } of Object.values(this.contexts)) Object.assign(canvas, { width: columns, height: rows });
      onResize(width, height, ratio);
      // painted at once: a resized canvas is empty until then
      this.paintNow();
    });
    const { canvas } = this.contexts.picture;
    try {
      this.#observer.observe(canvas, { box: "device-pixel-content-box" });
    } catch {
      this.#observer.observe(canvas); // a browser that does not know that box
    }
  }

  /** @param {LayerName[]} names */
  invalidate(...names) {
    for (const name of names) this.#dirty.add(name);
    if (!this.#frame) this.#frame = requestAnimationFrame((now) => this.#paint(now));
  }

  invalidateAll() {
    this.invalidate(...LAYER_NAMES);
  }

  /** Without waiting for a frame: there is none while the page is hidden. */
  paintNow() {
    for (const name of LAYER_NAMES) this.#dirty.add(name);
    this.#paint(performance.now());
  }

  remove() {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    for (const { canvas } of Object.values(this.contexts)) canvas.remove();
  }

  /** @param {number} now */
  #paint(now) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    this.onFrame(now, dirty);
  }
}

/**
 * The browser knows best how a length came out on its grid of pixels; emulated screens tell nonsense.
 *
 * @param {number} expected device pixels
 * @param {number} [told]
 */
function deviceLength(expected, told) {
  return told !== undefined && Math.abs(told - expected) <= 1 ? told : Math.round(expected);
}

/**
 * @param {HTMLElement} container
 * @param {LayerName} name
 * @returns {CanvasRenderingContext2D}
 */
function makeContext(container, name) {
  const canvas = document.createElement("canvas");
  canvas.dataset.layer = name;
  canvas.setAttribute("aria-hidden", "true"); // the container has the words
  Object.assign(canvas.style, {
    position: "absolute",
    inset: "0",
    width: "100%",
    height: "100%",
    pointerEvents: "none", // the container listens
  });
  container.append(canvas);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2D canvas: use a current Firefox, Chrome, Edge or Safari");
  return context;
}
