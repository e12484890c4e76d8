/** What every dialog has: a title, a close button, the focus inside, and back where it came from. */

import { element, iconButton } from "./elements.js";

let numDialogs = 0;

export class Dialog {
  /**
   * @param {string} title
   * @param {string} [className]
   */
  constructor(title, className = "") {
    numDialogs += 1;
    const id = `dialog-title-${numDialogs}`;
    this.title = element("h2", { id }, title);
    this.body = element("div", { class: "dialog-body" });
    this.foot = element("div", { class: "dialog-foot" });
    const close = iconButton("close", "Close", () => this.close());
    this.root = element("dialog", { class: `dialog ${className}`, "aria-labelledby": id },
      element("div", { class: "dialog-head" }, this.title, close), this.body, this.foot);
    this.root.addEventListener("click", (event) => {
      if (event.target === this.root) this.close(); // the shade around it
    });
    document.body.append(this.root);
  }

  get isOpen() {
    return this.root.open;
  }

  /** @param {HTMLElement} [first]  gets the focus */
  open(first) {
    if (this.root.open) return;
    this.root.showModal(); // remembers the focus, and gives it back when the dialog closes
    first?.focus();
  }

  close() {
    this.root.close();
  }
}

/**
 * A field with its name above and a note below.
 *
 * @param {string} name
 * @param {HTMLElement} control
 * @param {string} [note]
 */
export function labelled(name, control, note = "") {
  return element("label", { class: "labelled" },
    element("span", { class: "labelled-name" }, name), control,
    note ? element("span", { class: "quiet" }, note) : null);
}

/**
 * A line to tick.
 *
 * @param {string} text
 * @param {(checked: boolean) => void} [onChange]
 * @returns {{root: HTMLLabelElement, input: HTMLInputElement}}
 */
export function checkLine(text, onChange) {
  const input = element("input", { type: "checkbox" });
  input.addEventListener("change", () => onChange?.(input.checked));
  return { root: element("label", { class: "check-line" }, input, element("span", {}, text)), input };
}

/**
 * Choices of which one holds, each with a line of explanation.
 *
 * @param {string} name
 * @param {readonly (readonly [value: string, title: string, note: string])[]} choices
 * @param {string} chosen
 * @param {(value: string) => void} onChange
 */
export function choiceCards(name, choices, chosen, onChange) {
  numDialogs += 1;
  const group = `choice-cards-${numDialogs}`;
  const cards = choices.map(([value, title, note]) => {
    const input = element("input", { type: "radio", name: group, value, checked: value === chosen });
    input.addEventListener("change", () => onChange(value));
    return element("label", { class: "choice-card" }, input,
      element("span", {}, element("strong", {}, title), element("span", { class: "quiet" }, note)));
  });
  return element("fieldset", { class: "choice-cards" }, element("legend", { class: "labelled-name" }, name), ...cards);
}

/**
 * Lines of a report, or what went wrong.
 *
 * @param {string} title
 * @param {string[]} lines
 * @param {"good" | "bad"} look
 */
export function reportBox(title, lines, look) {
  return element("div", { class: `report ${look}`, role: look === "bad" ? "alert" : "status" },
    element("strong", {}, title),
    lines.length ? element("ul", {}, ...lines.map((line) => element("li", {}, line))) : null);
}
