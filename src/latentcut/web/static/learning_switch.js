/** Whether the first mask of a click follows what was chosen before; and forgetting all of it. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
import { checkLine } from "./dialogs.js";
import { element, textButton } from "./elements.js";

export class LearningSwitch {
  #news = element("p", { class: "quiet", role: "status" });
  /** Counts requests: only the answer to the newest one is shown. */
  #newest = 0;

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    this.line = checkLine("Learn which candidate I mean", (on) => void this.#ask(() => api.usePreferences(on)));
    this.line.input.disabled = true;
    this.forget = textButton("Forget what was learned", () => void this.#ask(() => api.forgetPreferences()));
    this.forget.disabled = true;
    this.root = element("fieldset", { class: "check-list" },
      element("legend", { class: "labelled-name" }, "Selection"), this.line.root,
      element("p", { class: "quiet" }, "The first mask of a click is the kind that you ended up with before: "
        + "parts or whole things, small or large. All candidates stay there to choose from, finished objects "
        + "stay as they are, and what is learned stays in this project."),
      element("div", { class: "learning-line" }, this.#news, this.forget));
  }

  refresh() {
    return this.#ask(() => this.api.preferences());
  }

  /** @param {() => Promise<T.Preferences>} request */
  async #ask(request) {
    this.#newest += 1;
    const own = this.#newest;
    try {
      const answer = await request();
      if (own === this.#newest) this.#show(answer);
    } catch (error) {
      if (own !== this.#newest) return;
      this.#news.textContent = `This could not be changed: ${error instanceof Error ? error.message : error}`;
      this.line.input.disabled = this.forget.disabled = true; // until the dialog is opened again
    }
  }

  /** @param {T.Preferences} answer */
  #show({ enabled, num_learned: number }) {
    this.line.input.disabled = false;
    this.line.input.checked = enabled;
    this.forget.disabled = number === 0;
    this.#news.textContent = number === 0 ? "Nothing was learned yet." : `Learned from ${number} object${number === 1 ? "" : "s"}.`;
  }
}
