/**
 * Loads thumbnails a few at a time: a browser has six connections to a server, and clicks must
 * never wait behind pictures of images that were scrolled past.
 */

import { element } from "./elements.js";

const AT_ONCE = 2;
const SETTLE_MS = 60; // rows that fly past in a fast scroll are not worth a request

export class ThumbnailLoader {
  /** Holders waiting for their picture, by image. @type {Map<number, HTMLElement>} */
  #waiting = new Map();
  /** @type {Map<number, HTMLImageElement>} */
  #loading = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(id: number) => string} url */
  constructor(url) {
    this.url = url;
  }

  /**
   * @param {number} id
   * @param {HTMLElement} holder
   */
  want(id, holder) {
    this.#waiting.set(id, holder);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), SETTLE_MS);
  }

  /** The row is out of sight. @param {number} id */
  forget(id) {
    this.#waiting.delete(id);
    const image = this.#loading.get(id);
    if (!image) return;
    image.removeAttribute("src"); // ends the request
    this.#loading.delete(id);
    this.#next();
  }

  #next() {
    for (const [id, holder] of this.#waiting) {
      if (this.#loading.size >= AT_ONCE) return;
      this.#waiting.delete(id);
      this.#load(id, holder);
    }
  }

  /**
   * @param {number} id
   * @param {HTMLElement} holder
   */
  #load(id, holder) {
    const image = element("img", { alt: "", draggable: "false", decoding: "async" });
    const ended = (/** @type {boolean} */ loaded) => {
      if (this.#loading.get(id) !== image) return;
      this.#loading.delete(id);
      if (loaded) holder.replaceChildren(image);
      this.#next();
    };
    image.addEventListener("load", () => ended(true));
    image.addEventListener("error", () => ended(false)); // the icon stays
    this.#loading.set(id, image);
    image.fetchPriority = "low";
    image.src = this.url(id);
  }
}
