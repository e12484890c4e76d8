/** The mask that a click would give, shown while the pointer rests. */

/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Gallery } from "./gallery.js" */
import { TAB } from "./editor.js";
import { Mask } from "./masks.js";

export class HoverPreview {
  #asking = new AbortController();

  /**
   * @param {Api} api
   * @param {AppState} state
   * @param {Gallery} gallery
   */
  constructor(api, state, gallery) {
    this.api = api;
    this.state = state;
    this.gallery = gallery;
    state.on(["active", "imageId", "tool"], () => this.#drop());
  }

  /**
   * The pointer rests at a point of the image, or (null) moved on.
   *
   * @param {{x: number, y: number} | null} point
   */
  async rest(point) {
    this.#drop();
    const { active, tool, imageId, positive, currentLabel } = this.state.now;
    const idle = !active && !this.gallery.work?.inFlight && tool === "click" && positive;
    if (!point || !idle || imageId === null) return;
    const asking = (this.#asking = new AbortController());
    try {
      const asked = { ...point, tab: TAB, label: currentLabel };
      const { mask } = await this.api.preview(imageId, asked, asking.signal);
      if (!asking.signal.aborted && mask) this.state.set({ hover: Mask.fromRle(mask) });
    } catch {
      // superseded, or the server is busy: a preview is never missed
    }
  }

  #drop() {
    this.#asking.abort();
    this.state.set({ hover: null });
  }
}
