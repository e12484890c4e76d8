/** A row of choices of which one holds, made of real radio buttons. */

import { element, icon, setAttribute } from "./elements.js";

let numGroups = 0;

/**
 * @typedef {object} Choice
 * @property {string} value
 * @property {string} name  read out, and shown on hover
 * @property {string} icon
 * @property {string} [className]
 */

export class Segments {
  /** @type {Map<string, HTMLInputElement>} */
  #inputs = new Map();

  /**
   * @param {string} name  of the whole group
   * @param {Choice[]} choices
   * @param {(value: string) => void} onChoice
   */
  constructor(name, choices, onChoice) {
    this.root = element("div", { class: "segments", role: "radiogroup", "aria-label": name });
    numGroups += 1;
    for (const choice of choices) this.root.append(this.#segment(choice, `choice-${numGroups}`, onChoice));
  }

  /** @param {string} value */
  set value(value) {
    for (const [own, input] of this.#inputs) input.checked = own === value;
  }

  /** @param {boolean} disabled */
  set disabled(disabled) {
    for (const input of this.#inputs.values()) input.disabled = disabled;
  }

  /**
   * Say in the tooltip which key does it.
   *
   * @param {string} value
   * @param {string} keys
   */
  setKeys(value, keys) {
    const input = this.#inputs.get(value);
    const name = input?.getAttribute("aria-label") ?? "";
    if (input) setAttribute(input, "title", keys ? `${name} (${keys})` : name);
  }

  /**
   * @param {Choice} choice
   * @param {string} group
   * @param {(value: string) => void} onChoice
   */
  #segment(choice, group, onChoice) {
    const { value, name } = choice;
    const input = element("input", { type: "radio", name: group, value, "aria-label": name, title: name });
    input.addEventListener("change", () => onChoice(value));
    this.#inputs.set(value, input);
    return element("label", { class: `segment ${choice.className ?? ""}` }, input, icon(choice.icon));
  }
}
