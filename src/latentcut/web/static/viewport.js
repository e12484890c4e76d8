// Where the picture lies on the screen. Pure arithmetic, no DOM.

/** @typedef {import("./stage_types.js").Point} Point */
/** @typedef {import("./stage_types.js").Box} Box */
/** @typedef {{scale: number, left: number, top: number}} View */

const PADDING_PX = 24; // around a picture that fits
const MIN_OF_FIT = 0.1; // smaller, the picture would be lost
const MAX_OF_FIT = 64;
const MIN_MAX_SCALE = 48; // screen px per image px that one can always reach
const KEPT_PX = 64; // of the picture stays in view, whatever one does
export const CRISP_SCALE = 3; // from here on pixels are drawn as squares

export class Viewport {
  /** Size of the stage in CSS pixels. */
  width = 0;
  height = 0;
  /** Device pixels per CSS pixel. */
  ratio = 1;
  /** Size of the picture; 0 before there is one. */
  imageWidth = 0;
  imageHeight = 0;
  /** CSS pixels per image pixel. */
  scale = 1;
  /** Whether the picture follows the size of the stage. */
  isFitted = true;
  #left = 0;
  #top = 0;

  /** Screen position of the picture's left edge, on a whole device pixel: then pixels are sharp. */
  get left() {
    return Math.round(this.#left * this.ratio) / this.ratio;
  }

  /** Screen position of its top edge. */
  get top() {
    return Math.round(this.#top * this.ratio) / this.ratio;
  }

  get isCrisp() {
    return this.scale >= CRISP_SCALE;
  }

  /**
   * @param {number} screenX
   * @param {number} screenY
   * @returns {Point} image pixels, which may lie outside the picture
   */
  toImage(screenX, screenY) {
    return { x: (screenX - this.left) / this.scale - 0.5, y: (screenY - this.top) / this.scale - 0.5 };
  }

  /**
   * @param {number} x image pixels
   * @param {number} y
   * @returns {Point} screen position
   */
  toScreen(x, y) {
    return { x: this.left + (x + 0.5) * this.scale, y: this.top + (y + 0.5) * this.scale };
  }

  /**
   * The nearest pixel centre inside the picture.
   *
   * @param {Point} point image pixels
   * @returns {Point}
   */
  clamp({ x, y }) {
    return {
      x: Math.min(Math.max(x, 0), Math.max(0, this.imageWidth - 1)),
      y: Math.min(Math.max(y, 0), Math.max(0, this.imageHeight - 1)),
    };
  }

  /**
   * @param {number} screenX
   * @param {number} screenY
   * @returns {number} how far a position is from the picture, in CSS pixels; 0 inside
   */
  distanceToPicture(screenX, screenY) {
    const right = this.left + this.imageWidth * this.scale;
    const bottom = this.top + this.imageHeight * this.scale;
    return Math.hypot(
      Math.max(this.left - screenX, 0, screenX - right),
      Math.max(this.top - screenY, 0, screenY - bottom),
    );
  }

  /** @returns {Box} what is seen of the picture, x0, y0, x1, y1 in pixels from its top-left corner */
  visible() {
    return [
      Math.max(0, -this.left / this.scale),
      Math.max(0, -this.top / this.scale),
      Math.min(this.imageWidth, (this.width - this.left) / this.scale),
      Math.min(this.imageHeight, (this.height - this.top) / this.scale),
    ];
  }

  /** @returns {View} the view that shows the whole picture */
  fitted() {
    return this.#around([0, 0, this.imageWidth, this.imageHeight], PADDING_PX, Infinity);
  }

  /**
   * @param {Box} box in image pixels
   * @returns {View} the view that shows a box with some of its surroundings
   */
  aroundBox([x0, y0, x1, y1]) {
    const margin = 0.15 * Math.max(x1 - x0, y1 - y0, 8);
    return this.#around(
      [
        Math.max(0, x0 - margin), Math.max(0, y0 - margin),
        Math.min(this.imageWidth, x1 + margin), Math.min(this.imageHeight, y1 + margin),
      ],
      PADDING_PX,
      this.#limits()[1],
    );
  }

  /** @param {View} view */
  set({ scale, left, top }) {
    this.scale = scale;
    this.#left = left;
    this.#top = top;
    this.#keepInView();
  }

  /** @returns {View} with the exact position, before it is put on whole device pixels */
  get() {
    return { scale: this.scale, left: this.#left, top: this.#top };
  }

  fit() {
    this.set(this.fitted());
    this.isFitted = true;
  }

  /**
   * Zoom, holding a point of the screen where it is.
   *
   * @param {number} factor
   * @param {number} screenX
   * @param {number} screenY
   */
  zoomAt(factor, screenX, screenY) {
    this.zoomTo(this.limited(this.scale * factor), screenX, screenY);
  }

  /**
   * @param {number} scale
   * @param {number} screenX stays where it is
   * @param {number} screenY
   */
  zoomTo(scale, screenX, screenY) {
    const change = scale / this.scale;
    this.#left = screenX - (screenX - this.#left) * change;
    this.#top = screenY - (screenY - this.#top) * change;
    this.scale = scale;
    this.isFitted = false;
    this.#keepInView();
  }

  /**
   * @param {number} dx in CSS pixels
   * @param {number} dy
   */
  panBy(dx, dy) {
    this.#left += dx;
    this.#top += dy;
    this.isFitted = false;
    this.#keepInView();
  }

  /**
   * The stage has another size: a fitted picture fits again, another keeps its centre.
   *
   * @param {number} width in CSS pixels
   * @param {number} height
   * @param {number} ratio
   */
  resize(width, height, ratio) {
    const [dx, dy] = [(width - this.width) / 2, (height - this.height) / 2];
    Object.assign(this, { width, height, ratio });
    if (this.isFitted) {
      this.fit();
      return;
    }
    this.#left += dx;
    this.#top += dy;
    this.#keepInView();
  }

  /** @param {number} scale is brought within the limits */
  limited(scale) {
    const [low, high] = this.#limits();
    return Math.min(Math.max(scale, low), high);
  }

  /**
   * A scale within the limits; one next to a small whole number of device pixels becomes it. For
   * single steps only: a slow pinch would stick to such a scale.
   *
   * @param {number} scale
   */
  snapped(scale) {
    const bounded = this.limited(scale);
    const whole = Math.round(bounded * this.ratio);
    const isNext = whole >= 1 && whole <= 8 && Math.abs((bounded * this.ratio) / whole - 1) < 0.002;
    return isNext ? whole / this.ratio : bounded;
  }

  /** @returns {[number, number]} */
  #limits() {
    const fit = this.fitted().scale;
    return [MIN_OF_FIT * fit, Math.max(MAX_OF_FIT * fit, MIN_MAX_SCALE)];
  }

  /**
   * @param {Box} box from the picture's top-left corner
   * @param {number} padding
   * @param {number} maxScale
   * @returns {View}
   */
  #around([x0, y0, x1, y1], padding, maxScale) {
    if (!(this.width > 0 && this.height > 0 && x1 > x0 && y1 > y0)) return { scale: 1, left: 0, top: 0 };
    const spare = Math.min(padding, this.width / 20, this.height / 20);
    const scale = Math.min((this.width - 2 * spare) / (x1 - x0), (this.height - 2 * spare) / (y1 - y0), maxScale);
    return {
      scale,
      left: this.width / 2 - (scale * (x0 + x1)) / 2,
      top: this.height / 2 - (scale * (y0 + y1)) / 2,
    };
  }

  #keepInView() {
    const width = this.imageWidth * this.scale;
    const height = this.imageHeight * this.scale;
    const keepX = Math.min(KEPT_PX, width / 2, this.width / 2);
    const keepY = Math.min(KEPT_PX, height / 2, this.height / 2);
    this.#left = Math.min(Math.max(this.#left, keepX - width), this.width - keepX);
    this.#top = Math.min(Math.max(this.#top, keepY - height), this.height - keepY);
  }
}
