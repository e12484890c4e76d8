/** All keys in one dialog, where each can be changed. */

/** @import { AppState } from "./state.js" */
/** @import { Settings } from "./settings.js" */
/** @import { PresetName } from "./bindings.js" */
import { COMMANDS, conflictOf, keyName, PRESETS, shownKey } from "./bindings.js";
import { Dialog } from "./dialogs.js";
import { element, textButton } from "./elements.js";

/** @type {readonly (readonly [string, string])[]} */
const POINTER = [
  ["Click", "what is meant; on the object in work: more of it"],
  ["Right click, or Alt and click", "background: not this"],
  ["Drag with the box tool", "a box around it"],
  ["Drag with the scribble tool", "a stroke over it, with the right button beside it"],
  ["Ctrl and click", "select the object there"],
  ["Space and drag, or middle button", "move the picture"],
  ["Wheel, or pinch", "zoom"],
  ["Arrow keys in the picture, after C", "move the click cursor: Shift faster, Alt finer; Enter clicks, Shift Enter clicks background"],
];

export class HelpDialog {
  /** @type {string | null} the command whose key is being asked for */
  #asking = null;

  /**
   * @param {AppState} state
   * @param {Settings} settings
   */
  constructor(state, settings) {
    this.state = state;
    this.settings = settings;
    this.dialog = new Dialog("Keys", "wide");
    this.list = element("div", { class: "key-groups" });
    this.message = element("div", { class: "key-message", role: "status" });
    this.preset = element("select", { class: "field" });
    for (const [name, { title }] of Object.entries(PRESETS)) {
      this.preset.append(element("option", { value: name }, title));
    }
    this.preset.addEventListener("change", () => {
      const wanted = /** @type {PresetName} */ (this.preset.value); // drawing sets it anew
      this.#ask(null);
      settings.usePreset(wanted);
    });
    this.#build();
    this.dialog.root.addEventListener("keydown", (event) => this.#press(event), true);
    this.dialog.root.addEventListener("close", () => this.#ask(null));
    settings.addEventListener("change", () => this.#draw());
  }

  open() {
    this.dialog.open();
    this.#draw();
  }

  #build() {
    const pointer = element("dl", { class: "pointer-list" });
    for (const [what, does] of POINTER) pointer.append(element("div", {}, element("dt", {}, what), element("dd", {}, does)));
    this.dialog.body.append(
      element("div", { class: "key-preset" },
        element("label", {}, element("span", {}, "Keys as in "), this.preset),
        textButton("Back to these", () => this.settings.usePreset(this.settings.preset))),
      this.message, this.list,
      element("section", { class: "key-group pointer" }, element("h3", {}, "Mouse, pen and fingers"), pointer));
    this.dialog.foot.remove();
  }

  #draw() {
    if (!this.dialog.isOpen) return;
    this.preset.value = this.settings.preset;
    const focused = document.activeElement?.getAttribute("data-command");
    const groups = [...new Set(COMMANDS.map(({ group }) => group))];
    this.list.replaceChildren(...groups.map((group) => this.#group(group)));
    if (focused) this.list.querySelector(`[data-command="${focused}"]`)?.closest("button")?.focus();
  }

  /** @param {string} group */
  #group(group) {
    const rows = COMMANDS.filter((command) => command.group === group).map(({ id, title }) => {
      const keys = this.settings.bindings[id] ?? [];
      const name = element("span", { id: `key-name-${id}` }, title);
      const change = element("button", {
        type: "button", class: "key-button", "data-command": id, id: `key-of-${id}`,
        title: "Change", "aria-labelledby": `key-name-${id} key-of-${id}`,
      });
      if (this.#asking === id) change.append(element("span", { class: "asking" }, "Press a key"));
      else if (keys.length) change.append(...keys.flatMap((key) => [element("kbd", {}, shownKey(key)), " "]));
      else change.append(element("span", { class: "quiet" }, "none"));
      change.addEventListener("click", () => this.#ask(id));
      return element("li", {}, name, change);
    });
    return element("section", { class: "key-group" }, element("h3", {}, group), element("ul", {}, ...rows));
  }

  /** @param {string | null} command */
  #ask(command) {
    this.#asking = command;
    const title = COMMANDS.find(({ id }) => id === command)?.title;
    this.message.replaceChildren();
    if (title) {
      this.message.append(
        element("span", {}, `Press the new key for “${title}”.`),
        textButton("No key", () => this.#set(command ?? "", [])),
        textButton("Cancel", () => this.#ask(null)));
    }
    this.#draw();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const command = this.#asking;
    if (command === null) return;
    const key = keyName(event);
    if (key === null) return;
    const onButton = this.message.contains(document.activeElement);
    if (onButton && ["Enter", "Space", "Tab", "Shift+Tab"].includes(key)) return;
    event.preventDefault();
    event.stopPropagation();
    const { labels } = this.state.now.labels;
    const user = conflictOf(key, this.settings.bindings, labels, { command });
    if (!user) return this.#set(command, [key]);
    this.message.replaceChildren(
      element("span", { class: "problem" }, `${shownKey(key)} is used by: ${user.title}.`),
      ...(user.command ? [textButton("Use it here instead", () => this.#set(command, [key]))] : []),
      textButton("Cancel", () => this.#ask(null)));
  }

  /** @param {string} command @param {string[]} keys */
  #set(command, keys) {
    this.#asking = null;
    this.message.replaceChildren();
    this.settings.setKeys(command, keys);
    const button = this.list.querySelector(`[data-command="${command}"]`);
    if (button instanceof HTMLElement) button.focus();
  }
}
