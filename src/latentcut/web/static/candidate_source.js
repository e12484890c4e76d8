/** The candidates of the object in work, asked for whenever they may have changed. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Announcer } from "./announcer.js" */
import { Mask } from "./masks.js";

export class CandidateSource {
  #asking = new AbortController();
  #asked = "";
  /** Masks of the last answer by their codes: a choice changes none of them. @type {Map<string, Mask>} */
  #masks = new Map();

  /**
   * @param {Api} api
   * @param {AppState} state
   * @param {Announcer} announcer
   */
  constructor(api, state, announcer) {
    this.api = api;
    this.state = state;
    this.announcer = announcer;
    state.on(["document", "active"], () => void this.#refresh());
  }

  async #refresh() {
    const { document, candidates } = this.state.now;
    const object = this.state.activeObject;
    const key = document && object ? `${document.id}/${object.id}/${document.revision}` : "";
    if (key === this.#asked) return;
    this.#asked = key;
    this.#asking.abort();
    if (!document || !object?.has_candidates) {
      if (candidates && (!object || !object.has_candidates)) this.state.set({ candidates: null });
      return;
    }
    const asking = (this.#asking = new AbortController());
    try {
      const answer = await this.api.candidates(document.id, object.id, asking.signal);
      if (key === this.#asked) this.#show(answer, object.id, document.revision);
    } catch {
      // 404: none; no answer: the status line says so, and the next change asks again
      if (key === this.#asked) this.#asked = "";
    }
  }

  /**
   * @param {T.CandidatesAnswer} answer
   * @param {number} object
   * @param {number} revision
   */
  #show(answer, object, revision) {
    const masks = answer.candidates.map(({ mask }) => this.#decode(mask));
    this.#masks = new Map(answer.candidates.map(({ mask }, at) => [code(mask), masks[at]]));
    this.state.set({ candidates: { object, revision, answer, masks } });
    this.announcer.describe(this.state);
  }

  /** @param {T.Rle} rle */
  #decode(rle) {
    return this.#masks.get(code(rle)) ?? Mask.fromRle(rle);
  }
}

/** @param {T.Rle} rle */
function code({ size, counts }) {
  return `${size[0]}x${size[1]}:${counts}`;
}
