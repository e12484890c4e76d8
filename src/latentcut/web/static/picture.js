// The picture itself: the whole of it, perhaps reduced, and tiles where one looks closer.

import { Tiles, fetchBitmap } from "./tiles.js";
import { clear } from "./painter.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").StageImage} StageImage */

export class Picture {
  /** @type {ImageBitmap | null} the whole picture, perhaps reduced */
  view = null;
  /** @type {StageImage | null} the picture that is drawn */
  image = null;
  #tiles;
  #request = new AbortController();

  /** @param {() => void} onChange called when there is more to draw */
  constructor(onChange) {
    this.#tiles = new Tiles(onChange);
  }

  /**
   * Load another picture; the one before stays until it is there.
   *
   * @param {StageImage | null} image
   * @returns {Promise<boolean>} false when yet another one was asked for meanwhile
   */
  async load(image) {
    this.#request.abort();
    const request = new AbortController();
    this.#request = request;
    this.#tiles.rest();
    let view = null;
    try {
      if (image) view = await fetchBitmap(image.viewUrl, request.signal);
    } catch (error) {
      if (request.signal.aborted) return false;
      this.#show(null, null);
      throw error;
    }
    if (request.signal.aborted) {
      view?.close();
      return false;
    }
    this.#show(image, view);
    return true;
  }

  /**
   * @param {StageImage | null} image
   * @param {ImageBitmap | null} view
   */
  #show(image, view) {
    const before = this.view;
    this.image = image;
    this.view = view;
    this.#tiles.open(image);
    before?.close();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} viewport
   * @param {boolean} isMoving then speed counts more than fine detail
   */
  paint(context, viewport, isMoving) {
    clear(context);
    const { image, view } = this;
    if (!image || !view) return;
    const { scale, ratio, left, top } = viewport;
    const pixels = image.width / view.width; // of the picture per pixel of the view
    context.setTransform(scale * ratio, 0, 0, scale * ratio, left * ratio, top * ratio);
    context.imageSmoothingEnabled = !(viewport.isCrisp && pixels === 1);
    context.imageSmoothingQuality = isMoving ? "low" : "high";
    // only what is seen: a whole picture at 64 times its size is too much for some drivers
    const [seenX0, seenY0, seenX1, seenY1] = viewport.visible();
    const x0 = Math.max(0, Math.floor(seenX0 / pixels) - 2);
    const y0 = Math.max(0, Math.floor(seenY0 / pixels) - 2);
    const x1 = Math.min(view.width, Math.ceil(seenX1 / pixels) + 2);
    const y1 = Math.min(view.height, Math.ceil(seenY1 / pixels) + 2);
    if (x1 > x0 && y1 > y0) {
      const perRow = image.height / view.height;
      context.drawImage(view, x0, y0, x1 - x0, y1 - y0, x0 * pixels, y0 * perRow, (x1 - x0) * pixels, (y1 - y0) * perRow);
    }
    if (pixels > 1 && scale * ratio * pixels > 1.05) this.#tiles.draw(context, viewport);
    else this.#tiles.rest();
    this.#frame(context, viewport, image);
  }

  /**
   * A thin line around the picture, so that its border is seen on any background.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} viewport
   * @param {StageImage} image
   */
  #frame(context, { scale, ratio, left, top }, image) {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.lineWidth = 1;
    context.strokeStyle = "rgba(0, 0, 0, 0.4)";
    context.strokeRect(left - 0.5, top - 0.5, image.width * scale + 1, image.height * scale + 1);
  }
}
