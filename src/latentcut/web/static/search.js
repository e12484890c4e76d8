/** Finding all things in the image: how far it is, what was found, and taking that over. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { AppState, Found } from "./state.js" */
/** @import { Announcer } from "./announcer.js" */
/** @import { Editor } from "./editor.js" */
/** @import { TroubleBoard } from "./status.js" */
import { Mask } from "./masks.js";
import { untilSaved } from "./retry.js";

const LEAST_SHOWN = 0.5; // things less sure than this are found, but not taken unless asked for
const LEAST_TAKEN = 5; // even if all are unsure

/**
 * @typedef {object} Parts
 * @property {Api} api
 * @property {AppState} state
 * @property {Editor} editor
 * @property {Announcer} announcer
 * @property {TroubleBoard} board
 */

export class ThingSearch {
  #asking = new AbortController();
  #isStopped = false;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    parts.state.on(["imageId"], () => this.discard());
  }

  /** Look for all things in the shown image; while that goes on, stop it and see what there is. */
  async begin() {
    const { state, editor, announcer } = this.parts;
    if (state.now.searching) {
      this.stop();
      return;
    }
    const { imageId, opening } = state.now;
    if (imageId === null || opening !== "ready") return;
    this.discard();
    const asking = (this.#asking = new AbortController());
    this.#isStopped = false;
    editor.deselect();
    state.set({ searching: { numDone: 0, numClicks: 1 } });
    announcer.say("Looking for things");
    try {
      const things = await this.#find(imageId, asking.signal);
      if (asking.signal.aborted) return;
      state.set({ searching: null });
      this.#show(things);
    } catch (error) {
      if (asking.signal.aborted) return;
      state.set({ searching: null });
      announcer.hint(`The search ended: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Enough: what was found so far is shown. */
  stop() {
    this.#isStopped = true;
  }

  /** Forget the search and what it found. */
  discard() {
    this.#asking.abort();
    this.parts.state.set({ searching: null, found: null });
  }

  /** Take so many of the surest. @param {number} number */
  take(number) {
    const { found } = this.parts.state.now;
    if (found) this.parts.state.set({ found: { ...found, number } });
  }

  /** Make objects of what is taken. They stay in sight as found until the server has saved them. */
  add() {
    const { state, editor } = this.parts;
    const { found } = state.now;
    if (!found || found.isAdding || found.number === 0) return;
    state.set({ found: { ...found, isAdding: true } });
    editor.addFound(found.things.slice(0, found.number));
  }

  /** The server has saved them. @param {number} number */
  added(number) {
    this.discard();
    this.parts.announcer.hint(`${thingsWord(number)} added. Undo takes ${number === 1 ? "it" : "all of them"} back.`);
  }

  /** The server has refused them: they are still there. */
  refused() {
    const { found } = this.parts.state.now;
    if (found) this.parts.state.set({ found: { ...found, isAdding: false } });
  }

  /**
   * @param {number} image
   * @param {AbortSignal} signal
   * @returns {Promise<T.FoundThing[]>}
   */
  async #find(image, signal) {
    const { api, state } = this.parts;
    let at = await this.#ask(signal, () => api.beginSearch(image, signal));
    const name = at.search;
    try {
      while (at.num_done < at.num_clicks && !this.#isStopped) {
        at = await this.#ask(signal, () => api.advanceSearch(image, name, signal));
        state.set({ searching: { numDone: at.num_done, numClicks: at.num_clicks } });
      }
      return (await this.#ask(signal, () => api.found(image, name, signal))).things;
    } finally {
      void api.dropSearch(image, name).catch(() => undefined); // the server forgets it by itself, too
    }
  }

  /**
   * A request to the server, again and again while it is busy or away.
   *
   * @template A
   * @param {AbortSignal} signal
   * @param {() => Promise<A>} send
   * @returns {Promise<A>}
   */
  #ask(signal, send) {
    const wanted = async () => {
      signal.throwIfAborted();
      return send();
    };
    return untilSaved(wanted, (trouble) => this.parts.board.tell("search", trouble));
  }

  /** @param {T.FoundThing[]} things  the surest first */
  #show(things) {
    const { state, announcer } = this.parts;
    if (things.length === 0) {
      announcer.hint("Nothing was found that is not an object already.");
      return;
    }
    const numSure = things.filter((thing) => thing.expected_iou >= LEAST_SHOWN).length;
    const number = Math.min(things.length, Math.max(LEAST_TAKEN, numSure));
    const masks = things.map((thing) => Mask.fromRle(thing.mask));
    state.set({ found: { things, masks, number, isAdding: false } });
    announcer.say(`${thingsWord(things.length)} found; the surest ${number} would be added`);
  }
}

/** @param {number} number */
export function thingsWord(number) {
  return number === 1 ? "1 thing" : `${number} things`;
}
