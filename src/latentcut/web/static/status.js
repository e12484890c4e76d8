/** Saved, saving, or not saved: the line in the top bar, and the banner when something is wrong. */

/** @import { AppState, Values } from "./state.js" */
/** @import { Trouble, TroubleKind } from "./retry.js" */
import { byId, changeIcon } from "./elements.js";

const NO_WAIT_KINDS = new Set(["no_answer", "unavailable", "no_token", "failed"]);

/**
 * Trouble from several sources, the gravest shown.
 */
export class TroubleBoard {
  /** @type {Map<unknown, Trouble>} */
  #told = new Map();

  /** @param {AppState} state */
  constructor(state) {
    this.state = state;
  }

  /**
   * @param {unknown} source  Who tells: each has one voice.
   * @param {Trouble | null} trouble
   */
  tell(source, trouble) {
    if (trouble) this.#told.set(source, trouble);
    else this.#told.delete(source);
    const order = ["no_token", "unavailable", "no_answer", "failed", "busy"];
    const all = [...this.#told.values()];
    const rank = (/** @type {Trouble} */ each) => order.indexOf(each.kind);
    this.state.set({ trouble: all.sort((a, b) => rank(a) - rank(b))[0] ?? null });
  }
}

/** @param {AppState} state */
export function connectStatus(state) {
  const line = byId("save-status", HTMLElement);
  const text = byId("save-text", HTMLElement);
  state.on(["unsaved", "everSaved", "trouble"], (now) => {
    const look = saveLook(now);
    line.dataset.look = look.name;
    text.textContent = look.text;
    line.title = look.title;
    changeIcon(line, look.icon);
  });
  const banner = byId("banner", HTMLElement);
  const message = byId("banner-text", HTMLElement);
  state.on(["trouble", "unsaved"], ({ trouble, unsaved }) => {
    const shown = trouble !== null && NO_WAIT_KINDS.has(trouble.kind);
    const words = shown && trouble ? bannerText(trouble, unsaved) : "";
    if (message.textContent !== words) message.textContent = words;
    banner.hidden = !shown;
  });
  window.addEventListener("beforeunload", (event) => {
    if (state.now.unsaved > 0) event.preventDefault();
  });
}

/**
 * @param {Readonly<Values>} now
 * @returns {{name: string, text: string, title: string, icon: string}}
 */
function saveLook({ unsaved, everSaved, trouble }) {
  if (unsaved > 0 && trouble && NO_WAIT_KINDS.has(trouble.kind)) {
    const title = `${unsaved} ${unsaved === 1 ? "step is" : "steps are"} kept here until saved`;
    return { name: "failed", text: "Not saved", title, icon: "warning" };
  }
  if (unsaved > 0 && trouble?.kind === "busy") {
    const title = "The server has a queue; the step waits its turn";
    return { name: "busy", text: "Busy, waiting", title, icon: "clock" };
  }
  if (unsaved > 0) return { name: "saving", text: "Saving", title: "On its way", icon: "clock" };
  if (trouble) return { name: "failed", text: "Cannot save", title: trouble.message, icon: "warning" };
  if (!everSaved) return { name: "idle", text: "No changes", title: "Every step is saved by itself", icon: "cloud" };
  return { name: "saved", text: "Saved", title: "Everything is in the project file", icon: "check" };
}

/**
 * @param {Trouble} trouble
 * @param {number} unsaved
 */
function bannerText({ kind, message }, unsaved) {
  const kept = unsaved > 0 ? "Nothing is lost: your work is kept here and saved as soon as it can be." : "Trying again every second.";
  const start = unsaved > 0 ? "Not saved: " : "";
  /** @type {Record<TroubleKind, string>} */
  const texts = {
    unavailable: `${start || "Cannot save: "}${message}. ${kept}`,
    no_answer: `${start}the server does not answer. ${kept}`,
    no_token: `${start}this page's key is not valid any more. Open the address printed in the terminal again, in any tab. ${kept}`,
    failed: `${start}${message}. ${kept}`,
    busy: "",
  };
  const text = texts[kind];
  return text.charAt(0).toUpperCase() + text.slice(1);
}
