/** What happens, in words: for screen readers, and as a short note for everybody. */

/** @import { AppState } from "./state.js" */
import { element } from "./elements.js";
import { titleOf } from "./state.js";

const HINT_MS = 5_000;

export class Announcer {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} region  aria-live, invisible.
   * @param {HTMLElement} notes  where notes appear.
   */
  constructor(region, notes) {
    this.region = region;
    this.notes = notes;
  }

  /** Say it to screen readers. @param {string} text */
  say(text) {
    const same = this.region.textContent === text;
    this.region.textContent = same ? `${text}\u00a0` : text; // a change, or it is not read again
  }

  /** Show it for some seconds, and say it. @param {string} text */
  hint(text) {
    this.say(text);
    this.notes.replaceChildren(element("p", { class: "note" }, text));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.notes.replaceChildren(), HINT_MS);
  }

  /** Say what the object in work is. @param {AppState} state */
  describe(state) {
    const object = state.activeObject;
    const { document, candidates } = state.now;
    if (!object || !document) return;
    const place = document.objects.indexOf(object) + 1;
    const label = state.label(object.label);
    const clicks = object.parts.reduce((sum, part) => sum + part.clicks.length, 0);
    const share = areaPercent(object.area, document.width * document.height);
    const own = object.name ? `, named ${titleOf(object, state.now)}` : "";
    const good = candidates?.object === object.id && candidates.answer.looks_good;
    this.say(
      `Object ${place}${label ? ` of label ${label.name}` : ", no label"}${own}, ` +
        `${clicks} ${clicks === 1 ? "click" : "clicks"}, ${share} per cent of the image` +
        `${good ? ". It looks right: Enter accepts" : ""}`,
    );
  }
}

/**
 * A share in per cent, with a decimal where it is small.
 *
 * @param {number} area
 * @param {number} whole
 * @returns {string}
 */
export function areaPercent(area, whole) {
  const percent = (100 * area) / Math.max(whole, 1);
  if (percent === 0 || percent >= 9.95) return String(Math.round(percent));
  return percent < 0.1 ? "< 0.1" : percent.toFixed(1);
}
