// Two fingers: how far they moved the picture and apart.

/** @typedef {import("./stage_types.js").Point} Point */

export class Pinch {
  /** @type {Map<number, Point>} fingers on the stage; the first two count */
  #fingers = new Map();

  get size() {
    return this.#fingers.size;
  }

  clear() {
    this.#fingers.clear();
  }

  /**
   * @param {number} id
   * @param {Point} at
   * @param {boolean} [onlyKnown] whether to leave out fingers that were not put down here
   */
  put(id, at, onlyKnown = false) {
    if (onlyKnown && !this.#fingers.has(id)) return;
    this.#fingers.set(id, at);
  }

  /** @param {number} id */
  delete(id) {
    this.#fingers.delete(id);
  }

  /** @returns {{id: number, at: Point} | null} the finger that is left when there is just one */
  rest() {
    const [first] = this.#fingers;
    return this.#fingers.size === 1 ? { id: first[0], at: first[1] } : null;
  }

  /**
   * @param {number} id
   * @param {Point} at
   * @returns {{factor: number, dx: number, dy: number, middle: Point}} first pan, then zoom around the middle
   */
  move(id, at) {
    const before = this.#span();
    this.put(id, at, true);
    const after = this.#span();
    return {
      factor: before.length > 0 && after.length > 0 ? after.length / before.length : 1,
      dx: after.middle.x - before.middle.x,
      dy: after.middle.y - before.middle.y,
      middle: after.middle,
    };
  }

  #span() {
    const [a = { x: 0, y: 0 }, b = a] = this.#fingers.values();
    return {
      length: Math.hypot(b.x - a.x, b.y - a.y),
      middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
    };
  }
}
