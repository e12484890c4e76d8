/** What a person set up: keys, theme, how masks look. Kept in the project, through the server. */

/** @import { Api } from "./api.js" */
/** @import { AppState, View } from "./state.js" */
/** @import { Bindings, PresetName } from "./bindings.js" */
import { bindingsOf, COMMANDS, PRESETS } from "./bindings.js";
import { untilSaved } from "./retry.js";

const DELAY_MS = 400; // a slider that is dragged is saved once, when it rests

/** @typedef {"system" | "dark" | "light"} Theme */

export class Settings extends EventTarget {
  /** @type {PresetName} */
  preset = "latentcut";
  /** Commands whose keys differ from the preset. @type {Bindings} */
  ownKeys = {};
  /** @type {Theme} */
  theme = "system";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #saving = false;
  #again = false;
  /** Settings of a newer page, kept as they are. @type {Record<string, unknown>} */
  #others = {};

  /**
   * @param {Api} api
   * @param {AppState} state
   */
  constructor(api, state) {
    super();
    this.api = api;
    this.state = state;
  }

  get bindings() {
    return bindingsOf(this.preset, this.ownKeys);
  }

  /**
   * Take over what the server has; whatever does not fit is left at its default.
   *
   * @param {Record<string, unknown>} stored
   */
  load(stored) {
    const { preset, keys, theme, view, brush_radius: radius, ...others } = stored;
    this.#others = others;
    if (typeof preset === "string" && preset in PRESETS) this.preset = /** @type {PresetName} */ (preset);
    if (theme === "dark" || theme === "light") this.theme = theme;
    this.ownKeys = readKeys(keys);
    if (typeof radius === "number" && radius > 0) this.state.set({ brushRadius: radius });
    this.state.setView(readView(view, this.state.now.view));
    this.#apply();
    queueMicrotask(() => { // after the news of what was just read, which need not be written
      this.state.on(["view", "brushRadius"], () => this.#later());
      clearTimeout(this.#timer);
    });
  }

  /** @param {PresetName} preset */
  usePreset(preset) {
    this.preset = preset;
    this.ownKeys = {};
    this.#apply();
    this.#later();
  }

  /**
   * Give a command these keys, and take them from every other command.
   *
   * @param {string} command
   * @param {string[]} keys
   */
  setKeys(command, keys) {
    for (const [other, theirs] of Object.entries(this.bindings)) {
      const left = theirs.filter((key) => !keys.includes(key));
      if (other !== command && left.length < theirs.length) this.ownKeys[other] = left;
    }
    this.ownKeys[command] = keys;
    this.#apply();
    this.#later();
  }

  /** @param {Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    this.#apply();
    this.#later();
  }

  /** Listeners show keys and themes anew. */
  #apply() {
    if (this.theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.theme;
    this.dispatchEvent(new Event("change"));
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#save(), DELAY_MS);
  }

  async #save() {
    this.#again = this.#saving;
    if (this.#saving) return;
    this.#saving = true;
    const { hideMasks: _, ...view } = this.state.now.view; // hidden masks are for a moment
    const stored = {
      ...this.#others, preset: this.preset, keys: this.ownKeys, theme: this.theme, view,
      brush_radius: this.state.now.brushRadius,
    };
    try {
      await untilSaved(() => this.api.putSettings(stored), () => undefined);
    } catch {
      // refused (too large, say): the page keeps them as long as it is open
    }
    this.#saving = false;
    if (this.#again) void this.#save();
  }
}

/** @param {unknown} stored @returns {Bindings} */
function readKeys(stored) {
  /** @type {Bindings} */
  const keys = {};
  if (typeof stored !== "object" || stored === null) return keys;
  for (const { id } of COMMANDS) {
    const own = /** @type {Record<string, unknown>} */ (stored)[id];
    if (Array.isArray(own) && own.every((key) => typeof key === "string")) keys[id] = own;
  }
  return keys;
}

/**
 * @param {unknown} stored
 * @param {View} view
 * @returns {Partial<View>}
 */
function readView(stored, view) {
  if (typeof stored !== "object" || stored === null) return {};
  const from = /** @type {Record<string, unknown>} */ (stored);
  const flag = (/** @type {"outlineOnly" | "hatching" | "hints"} */ name) =>
    typeof from[name] === "boolean" ? from[name] : view[name];
  const { opacity } = from;
  return {
    opacity: typeof opacity === "number" && opacity >= 0 && opacity <= 1 ? opacity : view.opacity,
    outlineOnly: flag("outlineOnly"), hatching: flag("hatching"), hints: flag("hints"),
  };
}
