/** The project's labels: one change at a time, saved like everything else. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Announcer } from "./announcer.js" */
/** @import { TroubleBoard } from "./status.js" */
import { ApiError } from "./api.js";
import { untilSaved } from "./retry.js";

export class LabelBook {
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  /** Changes not saved yet. */
  unsaved = 0;

  /**
   * @param {Api} api
   * @param {AppState} state
   * @param {Announcer} announcer
   * @param {TroubleBoard} board
   * @param {() => void} onCount  Called when `unsaved` is another number.
   */
  constructor(api, state, announcer, board, onCount) {
    this.api = api;
    this.state = state;
    this.announcer = announcer;
    this.board = board;
    this.onCount = onCount;
  }

  /**
   * Add a label, and make it the current one.
   *
   * @param {Omit<T.Label, "id">} label
   */
  async add(label) {
    const before = new Set(this.state.now.labels.labels.map(({ id }) => id));
    await this.#change((labels) => [...labels, { id: null, ...label }]);
    const added = this.state.now.labels.labels.find(({ id }) => !before.has(id));
    if (added) this.state.set({ currentLabel: added.id });
    return added?.id ?? null;
  }

  /** @param {number} id @param {Omit<T.Label, "id">} label */
  edit(id, label) {
    return this.#change((labels) => labels.map((each) => (each.id === id ? { id, ...label } : each)));
  }

  /** @param {number} id */
  async remove(id) {
    await this.#change((labels) => labels.filter((each) => each.id !== id));
    if (!this.state.label(this.state.now.currentLabel)) this.state.set({ currentLabel: null });
  }

  /** A colour that no label has yet, or the one used least. @returns {number} */
  freeColour() {
    const uses = Array.from({ length: 8 }, () => 0);
    for (const { colour } of this.state.now.labels.labels) uses[colour] = (uses[colour] ?? 0) + 1;
    return uses.indexOf(Math.min(...uses));
  }

  /** @param {(labels: T.LabelDraft[]) => T.LabelDraft[]} make */
  #change(make) {
    this.unsaved += 1;
    this.onCount();
    const done = this.#last.then(() => this.#save(make));
    this.#last = done;
    return done;
  }

  /** @param {(labels: T.LabelDraft[]) => T.LabelDraft[]} make */
  async #save(make) {
    try {
      const labels = await untilSaved(
        () => this.#send(make),
        (trouble) => this.board.tell(this, trouble),
      );
      this.state.set({ labels, everSaved: true });
    } catch (error) {
      this.announcer.hint(error instanceof Error ? error.message : String(error));
    }
    this.unsaved -= 1;
    this.onCount();
  }

  /**
   * @param {(labels: T.LabelDraft[]) => T.LabelDraft[]} make
   * @returns {Promise<T.LabelSet>}
   */
  async #send(make) {
    const { labels, revision } = this.state.now.labels;
    try {
      return await this.api.putLabels(make(labels), revision);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      const project = await this.api.project(); // another tab changed them: ours goes on top
      this.state.set({ labels: project.labels });
      this.announcer.hint("The labels were changed in another tab; yours are added to them.");
      return this.#send(make);
    }
  }
}
