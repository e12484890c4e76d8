/** The labels at the right: which one the next object gets, and a click gives the object in work. */

/** @import * as T from "./types.js" */
/** @import { AppState } from "./state.js" */
/** @import { Editor } from "./editor.js" */
/** @import { LabelDialog } from "./label_dialog.js" */
import { byId, element, iconButton, nameControl } from "./elements.js";
import { setSwatch } from "./swatches.js";

export class LabelList {
  #list = byId("label-list", HTMLElement);

  /**
   * @param {AppState} state
   * @param {Editor} editor
   * @param {LabelDialog} dialog
   */
  constructor(state, editor, dialog) {
    this.state = state;
    this.editor = editor;
    this.dialog = dialog;
    byId("add-label", HTMLElement).addEventListener("click", () => dialog.openNew());
    state.on(["labels", "currentLabel", "document", "active"], () => this.#draw());
  }

  #draw() {
    const { labels } = this.state.now.labels;
    byId("labels-empty", HTMLElement).hidden = labels.length > 0;
    byId("labels-count", HTMLElement).textContent = labels.length ? String(labels.length) : "";
    const focused = this.#focusedAt();
    const none = labels.length ? [this.#row(null)] : [];
    this.#list.replaceChildren(...labels.map((label) => this.#row(label)), ...none);
    if (focused) this.#list.querySelectorAll("button")[focused - 1]?.focus();
  }

  /** One more than the place of the focused button: rows are made anew. */
  #focusedAt() {
    return [...this.#list.querySelectorAll("button")].findIndex((each) => each === document.activeElement) + 1;
  }

  /** @param {T.Label | null} label  null: the row for no label. */
  #row(label) {
    const { currentLabel, document: image } = this.state.now;
    const id = label?.id ?? null;
    const current = currentLabel === id;
    const used = (image?.objects ?? []).filter((object) => object.label === id).length;
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    if (label) setSwatch(swatch, label.colour);
    const main = element("button", { type: "button", class: "row-main", "aria-pressed": String(current) },
      swatch,
      element("span", { class: label ? "row-name" : "row-name quiet", dir: "auto" }, label?.name ?? "No label"),
      element("span", { class: "row-note" }, used ? String(used) : ""),
      label?.key ? element("kbd", {}, label.key.toUpperCase()) : null);
    const what = this.state.now.active ? "Give the object in work this label" : "Label for the next object";
    main.title = label ? `${label.name}\n${what}` : what;
    main.addEventListener("click", () => this.editor.setLabel(id));
    const row = element("li", { class: current ? "label-row current" : "label-row" }, main);
    if (label) {
      const edit = iconButton("edit", "Edit", () => this.dialog.openFor(label), "icon-button edit-button");
      nameControl(edit, `Edit label ${label.name}`);
      row.append(edit);
    }
    return row;
  }
}
