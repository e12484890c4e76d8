/** Choosing an image: its document, its work, and what is fetched ahead. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Stage } from "./stage.js" */
/** @import { MaskLibrary } from "./mask_library.js" */
/** @import { TroubleBoard } from "./status.js" */
/** @import { Listener } from "./work.js" */
import { untilSaved } from "./retry.js";
import { ImageWork } from "./work.js";

const MAX_WORKS = 30; // documents kept of images seen before

/**
 * @typedef {object} Parts
 * @property {Api} api
 * @property {AppState} state
 * @property {Stage} stage
 * @property {MaskLibrary} masks
 * @property {Listener} listener
 * @property {TroubleBoard} board
 */

export class Gallery {
  /** @type {Map<number, ImageWork>} */
  #works = new Map();
  #opening = new AbortController();
  /** @type {HTMLImageElement | null} */
  #ahead = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** The work on the image that is shown. */
  get work() {
    return this.#works.get(this.parts.state.now.imageId ?? -1) ?? null;
  }

  /** All work that is not saved, in every image. @returns {ImageWork[]} */
  get unsaved() {
    return [...this.#works.values()].filter((work) => work.steps.length > 0);
  }

  /**
   * Show an image.
   *
   * @param {number} id
   */
  async open(id) {
    const { state } = this.parts;
    this.#opening.abort();
    const opening = (this.#opening = new AbortController());
    state.set({
      imageId: id, opening: "opening", openError: "", document: null, active: null,
      candidates: null, previewed: null, hover: null, hidden: new Set(), pendingClicks: [],
      choosing: null, mode: "new", cursorOn: false,
    });
    try {
      const size = state.image(id);
      const early = size?.width && size.height ? this.#show(id, size.width, size.height) : null;
      early?.catch(() => undefined); // met below, when the document has arrived
      const work = await this.#read(id, opening.signal);
      if (opening.signal.aborted) return;
      const show = () => this.#show(id, work.document.width, work.document.height);
      const shown = early ? early.catch(show) : show(); // early, the server may have been away
      this.parts.listener.changed(work);
      await shown;
      if (opening.signal.aborted) return;
      this.parts.listener.changed(work); // a picture asked for a second time takes the objects off
      state.set({ opening: "ready" });
      this.#lookAhead();
    } catch (error) {
      if (opening.signal.aborted) return;
      const openError = error instanceof Error ? error.message : String(error);
      state.set({ opening: "failed", openError });
    }
  }

  /** Read the shown image's document again, unless steps are under way. */
  async refresh() {
    const work = this.work;
    if (!work) return;
    const document = await this.parts.api.document(work.document.id);
    this.parts.masks.add(document.masks);
    work.replace(document);
  }

  /**
   * The image so many places away; the ends stop.
   *
   * @param {number} places
   */
  step(places) {
    const { images, imageId } = this.parts.state.now;
    if (images.length === 0) return;
    const at = images.findIndex((image) => image.id === imageId);
    const next = images[Math.max(0, Math.min(images.length - 1, at + places))];
    if (next && next.id !== imageId) void this.open(next.id);
  }

  /**
   * The next image that is not done, after the shown one and then from the start.
   *
   * @returns {boolean}  false: all the others are done.
   */
  openNextToDo() {
    const { images, imageId } = this.parts.state.now;
    const at = images.findIndex((image) => image.id === imageId);
    const order = [...images.slice(at + 1), ...images.slice(0, Math.max(at, 0))];
    const next = order.find((image) => image.status !== "done" && !image.missing);
    if (next) void this.open(next.id);
    return next !== undefined;
  }

  /**
   * @param {number} id
   * @param {AbortSignal} signal
   */
  async #read(id, signal) {
    const { api, masks, listener, board } = this.parts;
    const document = await untilSaved(() => api.document(id, signal), (trouble) => board.tell("open", trouble));
    masks.add(document.masks);
    const known = this.#works.get(id);
    const work = known ?? new ImageWork(api, document, listener);
    this.#works.delete(id);
    this.#works.set(id, work);
    this.#forget();
    work.replace(document);
    return work;
  }

  /**
   * @param {number} id
   * @param {number} width
   * @param {number} height
   */
  #show(id, width, height) {
    const { api, stage } = this.parts;
    return stage.openImage({
      id,
      width,
      height,
      viewUrl: api.viewUrl(id),
      tileUrl: (column, row) => api.tileUrl(id, column, row),
    });
  }

  /** Have the browser fetch the next picture, so that going on is instant. */
  #lookAhead() {
    const { api, state } = this.parts;
    const { images, imageId } = state.now;
    const next = images[images.findIndex((image) => image.id === imageId) + 1];
    if (!next || next.missing) return;
    setTimeout(() => {
      if (state.now.imageId !== imageId || state.now.opening !== "ready") return;
      this.#ahead = new Image();
      this.#ahead.fetchPriority = "low";
      this.#ahead.src = api.viewUrl(next.id);
    }, 400);
  }

  #forget() {
    for (const [id, work] of this.#works) {
      if (this.#works.size <= MAX_WORKS) return;
      if (work.steps.length === 0 && id !== this.parts.state.now.imageId) this.#works.delete(id);
    }
  }
}
