/** A label's name, colour and key. */

/** @import * as T from "./types.js" */
/** @import { AppState } from "./state.js" */
/** @import { LabelBook } from "./label_book.js" */
/** @import { Settings } from "./settings.js" */
import { conflictOf } from "./bindings.js";
import { Dialog, labelled } from "./dialogs.js";
import { element, setAttribute, textButton } from "./elements.js";
import { COLOUR_NAMES, setSwatch } from "./swatches.js";

export class LabelDialog {
  /** @type {T.Label | null} */
  #label = null;

  /**
   * @param {AppState} state
   * @param {LabelBook} book
   * @param {Settings} settings
   */
  constructor(state, book, settings) {
    this.state = state;
    this.book = book;
    this.settings = settings;
    this.dialog = new Dialog("Label", "small");
    this.name = element("input", { class: "field", maxlength: 200, required: true, dir: "auto", autocomplete: "off" });
    this.key = element("input", { class: "field key-field", maxlength: 1, autocomplete: "off", "aria-describedby": "label-problem" });
    this.problem = element("p", { class: "problem", id: "label-problem", role: "alert" });
    this.colours = this.#colourChoice();
    // outside of the form, but its submit button: so Enter in a field saves, too
    this.save = element("button", { type: "submit", form: "label-form", class: "button primary" }, "Save");
    this.remove = textButton("Delete label", () => void this.#remove(), "button quiet-button danger");
    this.#build();
  }

  openNew() {
    this.#open(null, { name: "", colour: this.book.freeColour(), key: null });
  }

  /** @param {T.Label} label */
  openFor(label) {
    this.#open(label, label);
  }

  #build() {
    const form = element("form", { class: "form", id: "label-form" },
      labelled("Name", this.name), this.colours,
      labelled("Key", this.key, "One character that gives this label; may stay empty."), this.problem);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    form.addEventListener("input", () => this.#check());
    this.dialog.body.append(form);
    this.dialog.foot.append(this.remove, element("span", { class: "toolbar-gap" }),
      textButton("Cancel", () => this.dialog.close()), this.save);
  }

  #colourChoice() {
    const choices = COLOUR_NAMES.map((name, colour) => {
      const input = element("input", { type: "radio", name: "label-colour", value: colour, "aria-label": name, title: name });
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      setSwatch(swatch, colour);
      return element("label", { class: "colour-choice" }, input, swatch);
    });
    return element("fieldset", { class: "colours" }, element("legend", { class: "labelled-name" }, "Colour"),
      element("div", { class: "colour-row" }, ...choices));
  }

  /** @param {T.Label | null} label @param {Omit<T.Label, "id">} shown */
  #open(label, shown) {
    this.#label = label;
    this.dialog.title.textContent = label ? "Edit label" : "New label";
    this.remove.hidden = label === null;
    this.save.textContent = label ? "Save" : "Add label";
    this.name.value = shown.name;
    this.key.value = shown.key ?? "";
    for (const input of this.colours.querySelectorAll("input")) input.checked = input.value === String(shown.colour);
    this.dialog.open(this.name);
    this.name.select();
    this.#check();
    this.problem.textContent = "";
  }

  /** @returns {boolean}  whether it can be saved */
  #check() {
    const problem = this.#problemOf(this.name.value.trim(), this.key.value.trim());
    this.problem.textContent = problem;
    setAttribute(this.key, "aria-invalid", problem.startsWith("The key") ? "true" : null);
    return problem === "";
  }

  /** @param {string} name @param {string} key */
  #problemOf(name, key) {
    if (name === "") return "A label needs a name.";
    const { labels } = this.state.now.labels;
    if (labels.some((each) => each.name === name && each.id !== this.#label?.id)) return "There is a label of this name already.";
    const own = this.#label?.id ?? null;
    const user = key ? conflictOf(key.toUpperCase(), this.settings.bindings, labels, { label: own }) : null;
    return user ? `The key ${key.toUpperCase()} is used by: ${user.title}. Take another one, or change that in the list of keys.` : "";
  }

  async #save() {
    if (!this.#check()) return this.name.focus();
    const checked = this.colours.querySelector("input:checked");
    const colour = checked instanceof HTMLInputElement ? Number(checked.value) : 0;
    const label = { name: this.name.value.trim(), colour, key: this.key.value.trim() || null };
    this.dialog.close();
    if (this.#label) await this.book.edit(this.#label.id, label);
    else await this.book.add(label);
  }

  async #remove() {
    this.dialog.close();
    if (this.#label) await this.book.remove(this.#label.id);
  }
}
