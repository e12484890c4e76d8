// The keyboard's click cursor: a crosshair that the arrow keys move over the picture.

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").Point} Point */

const MARGIN_PX = 48; // between the crosshair and the border of the stage

export class ClickCursor {
  /** @type {Point | null} image pixels; null while hidden */
  at = null;
  /** @type {Point | null} where it was when it was hidden */
  #last = null;

  /** @param {Viewport} viewport */
  constructor(viewport) {
    this.viewport = viewport;
  }

  forget() {
    this.at = null;
    this.#last = null;
  }

  hide() {
    this.#last = this.at ?? this.#last;
    this.at = null;
  }

  /**
   * Show it where it was last, or in the middle of what is seen, and move it.
   *
   * @param {number} dx in CSS pixels
   * @param {number} dy
   * @returns {boolean} whether the view had to follow
   */
  move(dx, dy) {
    const { viewport } = this;
    const start = this.at ?? this.#visible(this.#last) ?? this.#middle();
    this.at = viewport.clamp({ x: start.x + dx / viewport.scale, y: start.y + dy / viewport.scale });
    const { x, y } = viewport.toScreen(this.at.x, this.at.y);
    const marginX = Math.min(MARGIN_PX, viewport.width / 4);
    const marginY = Math.min(MARGIN_PX, viewport.height / 4);
    const panX = Math.max(0, marginX - x) + Math.min(0, viewport.width - marginX - x);
    const panY = Math.max(0, marginY - y) + Math.min(0, viewport.height - marginY - y);
    if (viewport.isFitted || (!panX && !panY)) return false;
    viewport.panBy(panX, panY);
    return true;
  }

  /** @returns {Point} */
  #middle() {
    const [x0, y0, x1, y1] = this.viewport.visible();
    return this.viewport.clamp({ x: Math.round((x0 + x1) / 2 - 0.5), y: Math.round((y0 + y1) / 2 - 0.5) });
  }

  /**
   * @param {Point | null} point
   * @returns {Point | null} the point if it is seen
   */
  #visible(point) {
    if (!point) return null;
    const { x, y } = this.viewport.toScreen(point.x, point.y);
    return x >= 0 && y >= 0 && x <= this.viewport.width && y <= this.viewport.height ? point : null;
  }
}
