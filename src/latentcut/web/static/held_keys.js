// Keys that change the pointer while they are held: Space moves the picture, Alt and Shift turn the
// sign of a click around, Escape drops what is being dragged.

import { isOppositeKey } from "./pointer.js";

/**
 * @typedef {object} Listener
 * @property {() => boolean} cancel drops what is being dragged; whether there was something
 * @property {(state: {isOpposite?: boolean, isSpaceDown?: boolean}) => void} look
 */

export class HeldKeys {
  isSpaceDown = false;
  #hasPanned = false;
  #isOver = false;
  #listening = new AbortController();

  /**
   * @param {HTMLElement} element
   * @param {Listener} listener
   */
  constructor(element, listener) {
    this.listener = listener;
    const { signal } = this.#listening;
    element.addEventListener("pointerenter", () => (this.#isOver = true), { signal });
    element.addEventListener("pointerleave", () => (this.#isOver = false), { signal });
    // before anybody else: a Space that moves the picture means nothing else
    addEventListener("keydown", (event) => this.#down(event), { signal, capture: true });
    addEventListener("keyup", (event) => this.#up(event), { signal, capture: true });
    addEventListener("blur", () => this.#release(), { signal });
  }

  remove() {
    this.#listening.abort();
  }

  /** The picture was moved with Space held. */
  notePan() {
    this.#hasPanned = true;
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    this.listener.look({ isOpposite: isOppositeKey(event) });
    if (event.key === "Escape" && this.listener.cancel()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    if (event.code !== "Space" || !event.isTrusted || !this.#isOver || isTyping(event)) return;
    // Whether it is a key or a grip is known when it is let go: till then nobody else hears of it.
    event.stopImmediatePropagation();
    if (!(event.target instanceof HTMLButtonElement)) event.preventDefault(); // no scrolling
    if (event.repeat || this.isSpaceDown) return;
    this.isSpaceDown = true;
    this.#hasPanned = false;
    this.listener.look({ isSpaceDown: true });
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    this.listener.look({ isOpposite: isOppositeKey(event) });
    if (event.code !== "Space" || !event.isTrusted || !this.isSpaceDown) return;
    const wasGrip = this.#hasPanned;
    this.#release();
    if (wasGrip) {
      event.preventDefault(); // a button in focus is not pressed
      event.stopImmediatePropagation();
      return;
    }
    const { key, code, altKey, ctrlKey, metaKey, shiftKey } = event;
    const again = new KeyboardEvent("keydown", {
      key, code, altKey, ctrlKey, metaKey, shiftKey, bubbles: true, cancelable: true, composed: true,
    });
    event.target?.dispatchEvent(again);
  }

  #release() {
    if (!this.isSpaceDown) return;
    this.isSpaceDown = false;
    this.listener.look({ isSpaceDown: false });
  }
}

/** @param {Event} event */
function isTyping({ target }) {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}
