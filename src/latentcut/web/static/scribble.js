// A scribble in hand: a stroke over a thing, or beside it, that stands for a few clicks.

import { tidy } from "./strokes.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").Point} Point */

const MIN_STEP_PX = 1; // image pixels; closer points are noise of the hand
const MAX_POINTS = 10_000; // the server takes 20 000; what comes after says nothing new

export class Scribble {
  /** In image pixels. @type {[number, number][]} */
  points;

  /**
   * @param {Point} start in image pixels
   * @param {boolean} positive
   */
  constructor({ x, y }, positive) {
    this.points = [[tidy(x), tidy(y)]];
    this.positive = positive;
  }

  /** @param {Point} point in image pixels */
  add({ x, y }) {
    const [lastX, lastY] = this.points[this.points.length - 1];
    const isFar = Math.hypot(x - lastX, y - lastY) >= MIN_STEP_PX;
    if (isFar && this.points.length < MAX_POINTS) this.points.push([tidy(x), tidy(y)]);
  }

  /**
   * Whether any of it lies on the picture.
   *
   * @param {Viewport} viewport
   */
  isOn(viewport) {
    return this.points.some(([imageX, imageY]) => {
      const { x, y } = viewport.toScreen(imageX, imageY);
      return viewport.distanceToPicture(x, y) === 0;
    });
  }
}
