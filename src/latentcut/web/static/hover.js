// Tells when the pointer comes to rest over the picture.

/** @typedef {import("./stage_types.js").Point} Point */

const REST_MS = 80;
const REST_PX = 3; // a hand that rests still trembles
const LEAVE_PX = 24; // the preview stays until the pointer is this far from where it rested

export class Hover {
  /** @type {Point | null} where the pointer came to a halt */
  #still = null;
  /** @type {Point | null} what was told last */
  #told = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(point: Point | null) => void} tell screen position, or null when it is over */
  constructor(tell) {
    this.tell = tell;
  }

  /** @param {Point} point screen position */
  move(point) {
    if (this.#told && distance(point, this.#told) > LEAVE_PX) this.#say(null);
    if (this.#still && distance(point, this.#still) <= REST_PX) return;
    this.#still = point;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(this.#still), REST_MS);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#still = null;
    if (this.#told) this.#say(null);
  }

  /** @param {Point | null} point */
  #say(point) {
    this.#told = point;
    this.tell(point);
  }
}

/**
 * @param {Point} a
 * @param {Point} b
 */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
