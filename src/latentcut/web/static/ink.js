// The strokes of the moment: the one being drawn, and those that are done but not yet answered.
// The answered ones are part of the masks.

import { Mask } from "./masks.js";
import { Stroke, applyStroke, drawInk } from "./strokes.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").Point} Point */

/** @typedef {{style: string | CanvasPattern, alpha: number}} Paint */

export class Ink {
  /** @type {Stroke | null} */
  current = null;
  /** @type {Stroke[]} */
  #finished = [];
  #numStrokes = 0;
  /** @type {{base: Mask, num: number, result: Mask} | null} */
  #made = null;

  get hasFinished() {
    return this.#finished.length > 0;
  }

  /**
   * @param {"brush" | "eraser"} tool
   * @param {number} radius in image pixels
   * @param {Point} at in image pixels
   */
  begin(tool, radius, at) {
    this.current = new Stroke(tool, radius, at, ++this.#numStrokes);
  }

  /**
   * @param {boolean} isKept
   * @returns {Stroke | null} the stroke, when it is kept
   */
  end(isKept) {
    const stroke = this.current;
    this.current = null;
    if (!stroke || !isKept) return null;
    stroke.finish();
    this.#finished.push(stroke);
    return stroke;
  }

  /**
   * Finished strokes are part of the masks now.
   *
   * @param {number} [upTo] id of the last one that is
   */
  settle(upTo = Infinity) {
    this.#finished = this.#finished.filter((stroke) => stroke.id > upTo);
    this.#made = null;
  }

  clear() {
    this.current = null;
    this.settle();
  }

  /**
   * A mask with the finished strokes on it.
   *
   * @param {Mask | null} mask
   * @param {number} imageWidth
   * @param {number} imageHeight
   * @returns {Mask | null}
   */
  on(mask, imageWidth, imageHeight) {
    if (!this.#finished.length) return mask;
    const isSame = this.#made !== null && (mask === null ? this.#made.base.area === 0 : this.#made.base === mask);
    const base = isSame && this.#made ? this.#made.base : mask ?? Mask.empty(imageWidth, imageHeight);
    let { num, result } = isSame && this.#made ? this.#made : { num: 0, result: base };
    for (; num < this.#finished.length; num++) result = applyStroke(result, this.#finished[num], imageWidth);
    this.#made = { base, num, result };
    return result;
  }

  /**
   * Draw the stroke in hand: all of it, or what came since.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} viewport
   * @param {Paint} paint
   * @param {Point[]} [added] new positions in image pixels; they are also kept
   */
  draw(context, viewport, paint, added) {
    const stroke = this.current;
    if (!stroke) return;
    /** @type {[number, number][]} */
    let line = [...stroke.points, stroke.tip];
    if (added) {
      line = [stroke.tip];
      for (const point of added) {
        stroke.add(point);
        line.push(stroke.tip);
      }
    }
    drawInk(context, viewport, line, stroke.radius, stroke.tool === "brush" ? paint : null);
  }
}
