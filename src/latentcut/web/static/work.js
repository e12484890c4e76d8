/**
 * The work on one image: its document, and the steps on their way to the server, one at a time.
 *
 * Nothing is lost on the way: a step stays until the server has saved it, or has refused it, or
 * the user has taken it back.
 */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { Trouble } from "./retry.js" */
/** @import { ObjectRef } from "./state.js" */
import { ApiError } from "./api.js";
import { untilSaved } from "./retry.js";
import { expectedDocument, isResultOf, objectOf, Step } from "./steps.js";

/**
 * @typedef {{document: T.ImageDocument, object: number | null}} Saved
 *
 * @typedef {object} Listener
 * @property {(work: ImageWork) => void} changed  The document or the steps are others now.
 * @property {(work: ImageWork, step: Step, saved: Saved) => void} saved
 * @property {(work: ImageWork, step: Step, why: string) => void} refused
 * @property {(work: ImageWork, resent: boolean) => void} conflict  Somebody else changed the image.
 * @property {(work: ImageWork, trouble: Trouble | null) => void} trouble
 */

export class ImageWork {
  /** @type {Step[]} */
  #waiting = [];
  /** @type {Step | null} */
  #inFlight = null;
  /** Shown instead of the document while a withdrawn step is being undone. @type {T.ImageDocument | null} */
  #held = null;

  /**
   * @param {Api} api
   * @param {T.ImageDocument} document
   * @param {Listener} listener
   */
  constructor(api, document, listener) {
    this.api = api;
    this.document = document; // as the server has it
    this.listener = listener;
    /** @type {Trouble | null} */
    this.trouble = null;
  }

  /** Steps not saved yet, first to last. @returns {Step[]} */
  get steps() {
    return this.#inFlight ? [this.#inFlight, ...this.#waiting] : this.#waiting;
  }

  get inFlight() {
    return this.#inFlight !== null;
  }

  /** The document as it will be when all is saved. */
  get expected() {
    return expectedDocument(this.#held ?? this.document, this.steps);
  }

  /**
   * Clicks on an object that are not answered yet.
   *
   * @param {ObjectRef | null} ref
   * @returns {T.Click[]}
   */
  pendingClicks(ref) {
    if (!ref) return [];
    const own = this.steps.filter((step) => step.ref === ref && !step.withdrawn);
    return own.flatMap((step) => (step.action?.kind === "click" ? step.action.clicks : []));
  }

  /**
   * The candidate taken for an object and not answered yet.
   *
   * @param {ObjectRef | null} ref
   * @returns {number | null}
   */
  pendingChoice(ref) {
    const last = this.steps.filter((step) => step.ref === ref && !step.withdrawn).at(-1);
    return ref && last?.action?.kind === "choose" ? last.action.index : null;
  }

  /** The first stroke that is not answered yet, by the stage's count. @returns {number | null} */
  get pendingStroke() {
    const strokes = this.steps.filter((step) => step.strokeId !== null && !step.withdrawn);
    return strokes[0]?.strokeId ?? null;
  }

  /**
   * @param {T.Action} action  Its `object` is filled in from `ref`.
   * @param {ObjectRef | null} ref
   * @param {number | null} [strokeId]  The stage's name of a stroke.
   */
  push(action, ref, strokeId = null) {
    if (!this.#waiting.at(-1)?.absorb(action, ref)) {
      this.#waiting.push(new Step(action, ref, null, strokeId));
    }
    this.#changed();
  }

  /**
   * Take back the newest thing: a waiting click disappears, one under way is withdrawn, and
   * otherwise the server undoes. A withdrawn step is undone when its answer comes, rather than
   * aborted: a server that works on after an abort could save it later, unseen.
   *
   * @returns {ObjectRef | null}  An object that will not exist.
   */
  undo() {
    const last = this.#waiting.at(-1);
    const flying = this.#inFlight;
    if (last?.action) {
      if (last.action.kind === "click" && last.action.clicks.length > 1) last.action.clicks.pop();
      else this.#waiting.pop();
    } else if (!last && flying?.action && !flying.withdrawn) flying.withdrawn = true;
    else this.#waiting.push(new Step(null, null, "undo"));
    this.#changed();
    const gone = last?.action ? last : flying?.withdrawn ? flying : null;
    return gone?.ref && gone.ref.id === null && !this.#has(gone.ref) ? gone.ref : null;
  }

  redo() {
    this.#waiting.push(new Step(null, null, "redo"));
    this.#changed();
  }

  /** Take over a document that was read while nothing was under way. @param {T.ImageDocument} document */
  replace(document) {
    if (this.steps.length > 0 || document.revision < this.document.revision) return;
    this.document = document;
    this.listener.changed(this);
  }

  /** @param {ObjectRef} ref */
  #has(ref) {
    return this.steps.some((step) => step.ref === ref && !step.withdrawn);
  }

  #changed() {
    this.listener.changed(this);
    void this.#run();
  }

  async #run() {
    while (!this.#inFlight && this.#waiting.length > 0) {
      const step = /** @type {Step} */ (this.#waiting.shift());
      this.#inFlight = step;
      try {
        const saved = await untilSaved((attempt) => this.#send(step, attempt), this.#tell);
        this.#inFlight = null;
        if (step.travel) this.#held = null;
        if (saved) this.#accept(step, saved);
      } catch (error) {
        await this.#refuse(step, error);
        this.#inFlight = null;
        this.#held = null;
      }
      this.listener.changed(this);
    }
  }

  #tell = (/** @type {Trouble | null} */ trouble) => {
    this.trouble = trouble;
    this.listener.trouble(this, trouble);
  };

  /**
   * @param {Step} step
   * @param {number} attempt
   * @returns {Promise<Saved | null>}  null: nothing was to be done.
   */
  async #send(step, attempt) {
    if (step.uncertain) {
      const found = await this.api.document(this.document.id);
      if (found.revision !== this.document.revision) return this.#settle(step, found);
    }
    if (step.withdrawn && attempt > 0) return null;
    if (step.needsObject && step.ref?.id === null) return null; // its object was never made
    try {
      return await this.#post(step);
    } catch (error) {
      if (mayHaveSaved(error)) step.uncertain = true;
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      return this.#settle(step, await this.api.document(this.document.id));
    }
  }

  /** @param {Step} step @returns {Promise<Saved>} */
  #post(step) {
    const { id, revision } = this.document;
    if (step.travel) return this.api.travel(id, step.travel, revision);
    return this.api.act(id, step.body, revision);
  }

  /**
   * The image has moved on: by this very step, whose answer got lost, or by somebody else.
   *
   * @param {Step} step
   * @param {T.ImageDocument} found
   * @returns {Promise<Saved | null>}
   */
  async #settle(step, found) {
    const before = this.document;
    if (step.uncertain && isResultOf(step, before, found)) {
      return { document: found, object: objectOf(step, before, found)?.id ?? null };
    }
    this.document = found;
    step.uncertain = false;
    const id = step.ref?.id ?? null;
    const exists = id === null || found.objects.some((object) => object.id === id);
    const resend = exists && step.survivesConflict && !step.withdrawn;
    this.listener.conflict(this, resend);
    this.listener.changed(this);
    return resend ? this.#send(step, 0) : null;
  }

  /** @param {Step} step @param {Saved} saved */
  #accept(step, saved) {
    if (step.withdrawn) {
      this.#held = this.document;
      this.#waiting.unshift(new Step(null, null, "undo"));
    } else if (step.ref && step.ref.id === null) step.ref.id = saved.object;
    this.document = saved.document;
    this.listener.saved(this, step, saved);
  }

  /** @param {Step} step @param {unknown} error */
  async #refuse(step, error) {
    const why = error instanceof Error ? error.message : String(error);
    this.listener.refused(this, step, why);
    try {
      this.document = await this.api.document(this.document.id);
    } catch {
      // the document at hand stays; the next step finds out by its revision
    }
  }
}

/**
 * Whether the server may have saved a step that ended in this error.
 *
 * @param {unknown} error
 */
function mayHaveSaved(error) {
  if (!(error instanceof ApiError)) return false;
  return error.status === 0 || (error.status >= 500 && error.status !== 507 && error.code !== "busy");
}
