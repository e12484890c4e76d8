// Smooth changes of the view: the wheel's zoom glides, fit and zoom-to-box fly. No DOM.

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./viewport.js").View} View */

const GLIDE_MS = 36; // after it, 63 % of a zoom are done
const FLIGHT_MS = 170;
const CLOSE_ENOUGH = 0.002; // of a zoom factor

export class Motion {
  /** @type {number | null} the scale that a zoom glides to */
  #target = null;
  #anchor = { x: 0, y: 0 };
  /** @type {{from: View, to: View, start: number, fits: boolean} | null} */
  #flight = null;
  #last = 0;

  /** @param {Viewport} viewport */
  constructor(viewport) {
    this.viewport = viewport;
    /** Whether people asked for less motion: then everything jumps. */
    this.isReduced = false;
  }

  get isRunning() {
    return this.#target !== null || this.#flight !== null;
  }

  /**
   * @param {number} factor
   * @param {number} screenX stays where it is
   * @param {number} screenY
   * @param {number} now in ms
   */
  zoomBy(factor, screenX, screenY, now) {
    this.#flight = null;
    const target = this.viewport.snapped((this.#target ?? this.viewport.scale) * factor);
    if (this.isReduced) {
      this.viewport.zoomTo(target, screenX, screenY);
      return;
    }
    if (this.#target === null) this.#last = now;
    this.#target = target;
    this.#anchor = { x: screenX, y: screenY };
  }

  /**
   * @param {View} view
   * @param {boolean} fits whether it is the fitted view
   * @param {number} now in ms
   */
  flyTo(view, fits, now) {
    this.stop();
    if (this.isReduced) {
      this.#arrive(view, fits);
      return;
    }
    this.viewport.isFitted = false;
    this.#flight = { from: this.viewport.get(), to: view, start: now, fits };
  }

  stop() {
    this.#target = null;
    this.#flight = null;
  }

  /**
   * Move on.
   *
   * @param {number} now in ms
   * @returns {boolean} whether the view changed
   */
  step(now) {
    if (this.#flight) {
      this.#fly(this.#flight, now);
      return true;
    }
    if (this.#target === null) return false;
    const elapsed = Math.min(Math.max(now - this.#last, 4), 64);
    this.#last = now;
    const left = Math.log(this.#target / this.viewport.scale);
    const part = left * (1 - Math.exp(-elapsed / GLIDE_MS));
    const isLast = Math.abs(left - part) < CLOSE_ENOUGH;
    const scale = isLast ? this.#target : this.viewport.scale * Math.exp(part);
    this.viewport.zoomTo(scale, this.#anchor.x, this.#anchor.y);
    if (isLast) this.#target = null;
    return true;
  }

  /**
   * @param {{from: View, to: View, start: number, fits: boolean}} flight
   * @param {number} now
   */
  #fly({ from, to, start, fits }, now) {
    const time = Math.min(Math.max((now - start) / FLIGHT_MS, 0), 1);
    if (time === 1) {
      this.#flight = null;
      this.#arrive(to, fits);
      return;
    }
    const eased = 1 - (1 - time) ** 3;
    const growth = to.scale / from.scale;
    // the point that both views show in the same place stays there all the way
    const share = Math.abs(growth - 1) < 1e-6 ? eased : (growth ** eased - 1) / (growth - 1);
    this.viewport.set({
      scale: from.scale * growth ** eased,
      left: from.left + (to.left - from.left) * share,
      top: from.top + (to.top - from.top) * share,
    });
  }

  /**
   * @param {View} view
   * @param {boolean} fits
   */
  #arrive(view, fits) {
    this.viewport.set(view);
    this.viewport.isFitted = fits;
  }
}
