/** Keys to commands, wherever the focus is, except where it is typed into. */

/** @import { AppState } from "./state.js" */
/** @import { Settings } from "./settings.js" */
/** @import { Editor } from "./editor.js" */
/** @import { Stage } from "./stage.js" */
import { keyName } from "./bindings.js";

const CURSOR_STEP_PX = 4; // of the screen
const CURSOR_FAST = 10;
const CURSOR_FINE = 0.25;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @typedef {object} Parts
 * @property {AppState} state
 * @property {Settings} settings
 * @property {Editor} editor
 * @property {Stage} stage
 * @property {HTMLElement} stageElement
 * @property {Record<string, () => void>} commands
 */

export class Keyboard {
  /** Command by key. @type {Map<string, string>} */
  #commands = new Map();

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.#read();
    parts.settings.addEventListener("change", () => this.#read());
    document.addEventListener("keydown", (event) => this.#press(event));
    parts.state.on(["cursorOn"], ({ cursorOn }) => {
      if (!cursorOn) parts.stage.hideCursor();
    });
  }

  /** Show the click cursor, or put it away. */
  toggleCursor() {
    const { state, stage, stageElement } = this.parts;
    if (state.now.cursorOn || !state.now.document) return state.set({ cursorOn: false });
    stageElement.focus();
    state.set({ cursorOn: true });
    stage.moveCursor(0, 0);
  }

  #read() {
    this.#commands.clear();
    for (const [command, keys] of Object.entries(this.parts.settings.bindings)) {
      for (const key of keys) this.#commands.set(key, command);
    }
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const target = /** @type {Element | null} */ (event.target);
    if (event.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open")) return;
    if (!target || typesInto(target)) return;
    const key = keyName(event);
    if (key === null || usedByControl(target, key)) return;
    if (this.#moveCursor(event, target) || this.#run(key, target)) event.preventDefault();
  }

  /**
   * @param {string} key
   * @param {Element} target
   * @returns {boolean}  whether the key meant something
   */
  #run(key, target) {
    const { state, editor, commands } = this.parts;
    const command = this.#commands.get(key);
    if (command) {
      const cycles = command === "next_candidate" || command === "previous_candidate";
      if (cycles && !this.#mayCycle(key, target)) return false;
      commands[command]?.();
      return true;
    }
    const label = state.now.labels.labels.find((each) => each.key?.toUpperCase() === key);
    if (label) editor.setLabel(label.id);
    return label !== undefined;
  }

  /**
   * Tab moves among the candidates only in the picture and only while there are some: anywhere
   * else, and after Escape, it moves the focus as on every page.
   *
   * @param {string} key
   * @param {Element} target
   */
  #mayCycle(key, target) {
    const { state, stageElement } = this.parts;
    const inPicture = target === document.body || stageElement.contains(target);
    return state.now.candidates !== null && (inPicture || !key.endsWith("Tab"));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Element} target
   * @returns {boolean}  whether the click cursor took it
   */
  #moveCursor(event, target) {
    const { state, stage, stageElement } = this.parts;
    const arrow = ARROWS[event.key];
    const vertical = arrow?.[0] === 0; // starts the cursor; left and right change the image until then
    if (!stageElement.contains(target) || !state.now.document) return false;
    if (!state.now.cursorOn && !(vertical && stageElement.matches(":focus-visible"))) return false;
    if (arrow) {
      const fine = event.altKey || event.ctrlKey ? CURSOR_FINE : 1;
      const step = CURSOR_STEP_PX * (event.shiftKey ? CURSOR_FAST : fine);
      state.set({ cursorOn: true });
      stage.moveCursor(arrow[0] * step, arrow[1] * step);
      return true;
    }
    if (event.key === "Enter") stage.clickAtCursor(!event.shiftKey);
    else if (event.key === "Escape") state.set({ cursorOn: false });
    else return false;
    return true;
  }
}

/** @param {Element} target */
function typesInto(target) {
  if (target instanceof HTMLInputElement) return !["radio", "checkbox", "range", "button"].includes(target.type);
  return target.matches("textarea, select, [contenteditable]");
}

/**
 * Whether the focused control has its own use for the key.
 *
 * @param {Element} target
 * @param {string} key
 */
function usedByControl(target, key) {
  if (key === "Enter" || key === "Space") return target.matches("button, a, input:not([type=range]), summary, [role=option]");
  if (key === "F2" || key.startsWith("Alt+Arrow")) return target.closest(".object-row") !== null;
  if (/^(Arrow|Home|End|Page)/.test(key)) return target.matches("input, [role=listbox], [role=radio]");
  return false;
}
