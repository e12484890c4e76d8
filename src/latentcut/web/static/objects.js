/** The objects of the image, the one in front on top. */

/** @import * as T from "./types.js" */
/** @import { AppState } from "./state.js" */
/** @import { Editor } from "./editor.js" */
/** @import { Settings } from "./settings.js" */
import { areaPercent } from "./announcer.js";
import { shownKey } from "./bindings.js";
import { byId, changeIcon, element, iconButton, nameControl } from "./elements.js";
import { openMenu } from "./menu.js";
import { colourOf, ObjectRef, titleOf } from "./state.js";
import { setSwatch } from "./swatches.js";

export class ObjectList {
  #list = byId("object-list", HTMLElement);
  /** @type {Map<number, HTMLLIElement>} */
  #rows = new Map();
  #dragged = -1;
  #revealed = -1;

  /**
   * @param {AppState} state
   * @param {Editor} editor
   * @param {Settings} settings
   */
  constructor(state, editor, settings) {
    this.state = state;
    this.editor = editor;
    this.settings = settings;
    state.on(["document", "labels", "active", "hidden"], () => this.#draw());
    this.#list.addEventListener("dragover", (event) => this.#dragOver(event));
    this.#list.addEventListener("drop", (event) => this.#drop(event));
    this.#list.addEventListener("dragend", () => this.#clearMarks());
  }

  /** Show an object's name as a field. @param {number} id */
  rename(id) {
    const row = this.#rows.get(id);
    const object = this.#object(id);
    const main = /** @type {HTMLElement | null} */ (row?.querySelector(".row-main") ?? null);
    if (!row || !object || !main) return;
    const field = element("input", {
      class: "field row-rename", value: object.name, maxlength: 200, dir: "auto",
      "aria-label": "Name of the object", placeholder: titleOf(object, this.state.now),
    });
    let over = false;
    const end = (/** @type {boolean} */ keep) => {
      if (over) return;
      over = true;
      field.remove();
      main.hidden = false;
      main.focus();
      if (keep && field.value.trim() !== object.name) this.editor.rename(id, field.value);
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        end(event.key === "Enter");
      }
    });
    field.addEventListener("blur", () => end(true));
    main.hidden = true;
    row.prepend(field);
    field.select();
  }

  #draw() {
    const objects = [...(this.state.now.document?.objects ?? [])].reverse();
    byId("objects-count", HTMLElement).textContent = objects.length ? String(objects.length) : "";
    byId("objects-empty", HTMLElement).hidden = objects.length > 0 || !this.state.now.document;
    const kept = new Set(objects.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    objects.forEach((object, place) => {
      const row = this.#rows.get(object.id) ?? this.#make(object.id);
      // moving a row that is in its place would take the focus from it
      if (this.#list.children[place] !== row) this.#list.insertBefore(row, this.#list.children[place] ?? null);
      this.#show(row, object);
    });
    this.#reveal();
  }

  /** Scroll to the object in work when it is another one. */
  #reveal() {
    const id = this.state.now.active?.id ?? -1;
    if (id === this.#revealed) return;
    this.#revealed = id;
    this.#rows.get(id)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} id */
  #make(id) {
    const main = element("button", { type: "button", class: "row-main" },
      element("span", { class: "swatch", "aria-hidden": "true" }),
      element("span", { class: "row-name", dir: "auto" }),
      element("span", { class: "row-note" }));
    main.addEventListener("click", () => this.editor.select(id));
    main.addEventListener("dblclick", () => this.rename(id));
    const eye = iconButton("eye", "Hide", () => this.#toggleHidden(id), "icon-button eye-button");
    const more = iconButton("more", "More", () => this.#menu(id, more), "icon-button more-button");
    more.setAttribute("aria-haspopup", "menu");
    const row = element("li", { class: "object-row", draggable: "true" }, main, eye, more);
    row.addEventListener("keydown", (event) => this.#key(event, id));
    row.addEventListener("dragstart", (event) => {
      this.#dragged = id;
      row.classList.add("dragged");
      event.dataTransfer?.setData("text/plain", String(id));
    });
    this.#rows.set(id, row);
    return row;
  }

  /**
   * @param {HTMLLIElement} row
   * @param {T.ImageObject} object
   */
  #show(row, object) {
    const { labels, active, hidden, document: image } = this.state.now;
    const title = titleOf(object, this.state.now);
    const label = this.state.label(object.label);
    const share = areaPercent(object.area, (image?.width ?? 1) * (image?.height ?? 1));
    const isActive = active?.id === object.id;
    const [main, eye, more] = row.querySelectorAll("button");
    if (!main || !eye || !more) return;
    row.classList.toggle("active", isActive);
    row.classList.toggle("hidden-object", hidden.has(object.id));
    main.setAttribute("aria-pressed", String(isActive));
    main.title = `${title}\n${label ? `Label: ${label.name}` : "No label"}\n${object.area.toLocaleString("en")} px, ${share}%`;
    setSwatch(/** @type {HTMLElement} */ (main.children[0]), colourOf(object, labels));
    const [, name, note] = main.children;
    if (name) name.textContent = title;
    if (note) note.textContent = `${share}%`;
    changeIcon(eye, hidden.has(object.id) ? "eye-off" : "eye");
    nameControl(eye, `${hidden.has(object.id) ? "Show" : "Hide"} ${title}`);
    nameControl(more, `More for ${title}`);
  }

  /** @param {number} id @param {HTMLElement} opener */
  #menu(id, opener) {
    const object = this.#object(id);
    const ids = this.#ids();
    if (!object) return;
    const { editor, settings } = this;
    const key = (/** @type {string} */ command) => shownKey(settings.bindings[command]?.[0] ?? "");
    const { currentLabel } = this.state.now;
    const label = this.state.label(currentLabel);
    openMenu(opener, `More for ${titleOf(object, this.state.now)}`, [
      { text: "Rename", icon: "edit", key: key("rename"), run: () => this.rename(id) },
      {
        text: label ? `Label as ${label.name.slice(0, 40)}` : "Remove the label", icon: "check",
        disabled: object.label === currentLabel, run: () => editor.labelObject(new ObjectRef(id), currentLabel),
      },
      null,
      { text: "Forward", icon: "front", key: "Alt ↑", disabled: ids.at(-1) === id, run: () => editor.moveForward(id, 1) },
      { text: "Backward", icon: "back", key: "Alt ↓", disabled: ids[0] === id, run: () => editor.moveForward(id, -1) },
      { text: "To the front", icon: "layers", disabled: ids.at(-1) === id, run: () => editor.moveForward(id, ids.length) },
      null,
      { text: "Split off separate parts", icon: "split", run: () => editor.split(id) },
      { text: "Delete", icon: "trash", key: key("delete"), danger: true, run: () => editor.delete(id) },
    ]);
  }

  /** @param {number} id */
  #toggleHidden(id) {
    const hidden = new Set(this.state.now.hidden);
    if (!hidden.delete(id)) hidden.add(id);
    this.state.set({ hidden });
  }

  /** @param {KeyboardEvent} event @param {number} id */
  #key(event, id) {
    if (event.target instanceof HTMLInputElement) return;
    if (event.altKey && event.key === "ArrowUp") this.editor.moveForward(id, 1);
    else if (event.altKey && event.key === "ArrowDown") this.editor.moveForward(id, -1);
    else if (event.key === "F2") this.rename(id);
    else if (event.key === "Delete") this.editor.delete(id);
    else return;
    event.preventDefault();
  }

  #ids() {
    return (this.state.now.document?.objects ?? []).map((object) => object.id);
  }

  /** @param {number} id */
  #object(id) {
    return this.state.now.document?.objects.find((object) => object.id === id) ?? null;
  }

  /**
   * The row under the pointer, and which half of it.
   *
   * @param {DragEvent} event
   */
  #target(event) {
    const row = event.target instanceof Element ? event.target.closest(".object-row") : null;
    const id = [...this.#rows].find(([, each]) => each === row)?.[0];
    if (!row || id === undefined || this.#dragged < 0) return null;
    const { top, height } = row.getBoundingClientRect();
    return { row, id, above: event.clientY < top + height / 2 };
  }

  /** @param {DragEvent} event */
  #dragOver(event) {
    const target = this.#target(event);
    if (!target) return;
    event.preventDefault();
    for (const row of this.#rows.values()) row.classList.remove("drop-before", "drop-after");
    target.row.classList.add(target.above ? "drop-before" : "drop-after");
  }

  /** @param {DragEvent} event */
  #drop(event) {
    const target = this.#target(event);
    if (!target) return;
    event.preventDefault();
    const ids = this.#ids();
    const from = ids.indexOf(this.#dragged);
    const rest = ids.filter((id) => id !== this.#dragged);
    const to = rest.indexOf(target.id) + (target.above ? 1 : 0); // above in the list is in front
    if (target.id !== this.#dragged) this.editor.moveForward(this.#dragged, to - from);
    this.#clearMarks();
  }

  #clearMarks() {
    this.#dragged = -1;
    for (const row of this.#rows.values()) row.classList.remove("dragged", "drop-before", "drop-after");
  }
}
