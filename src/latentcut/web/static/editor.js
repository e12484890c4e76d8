/** What the user does to the shown image, turned into actions. */

/** @import * as T from "./types.js" */
/** @import { AppState } from "./state.js" */
/** @import { Gallery } from "./gallery.js" */
/** @import { Announcer } from "./announcer.js" */
/** @import { StrokeEvent } from "./stage_types.js" */
import { ObjectRef, titleOf } from "./state.js";

/**
 * Names this page to the server, which lets a newer hover of the same page replace an older one.
 * (crypto.randomUUID needs https or localhost; this does not.)
 */
export const TAB = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
  byte.toString(16).padStart(2, "0")).join("");

export class Editor {
  /**
   * @param {AppState} state
   * @param {Gallery} gallery
   * @param {Announcer} announcer
   */
  constructor(state, gallery, announcer) {
    this.state = state;
    this.gallery = gallery;
    this.announcer = announcer;
  }

  /** @param {T.Click} click */
  click(click) {
    if (!click.positive && this.#isFresh()) return this.#hintFirstClick();
    const { mode } = this.state.now;
    const clicks = [this.#clamped(click)];
    this.#draw((label) => ({
      kind: "click", object: null, label, clicks, mode: mode === "new" ? "refine" : mode, tab: TAB,
    }));
  }

  /** @param {{points: [number, number][], positive: boolean}} scribble */
  scribble({ points, positive }) {
    if (!positive && this.#isFresh()) return this.#hintFirstClick();
    const { mode } = this.state.now;
    this.#draw((label) => ({
      kind: "scribble", object: null, label, points, positive, mode: mode === "new" ? "refine" : mode, tab: TAB,
    }));
  }

  /** @param {T.Box} box */
  box(box) {
    const { mode } = this.state.now;
    const [x0, y0, x1, y1] = box;
    const from = this.#clamped({ x: x0, y: y0, positive: true });
    const to = this.#clamped({ x: x1, y: y1, positive: true });
    this.#draw((label) => ({
      kind: "box", object: null, label, box: [from.x, from.y, to.x, to.y],
      mode: mode === "new" ? "refine" : mode, tab: TAB,
    }));
  }

  /** @param {StrokeEvent} stroke */
  stroke({ id, ...stroke }) {
    if (stroke.tool === "eraser" && !this.state.now.active) {
      this.announcer.hint("Select an object first: the eraser takes away from one.");
      return;
    }
    this.#draw((label) => ({ kind: "stroke", object: null, label, ...stroke }), id);
  }

  /**
   * Take a candidate.
   *
   * @param {number} index
   */
  choose(index) {
    const { candidates, active, choosing } = this.state.now;
    if (!candidates || !active || active.id === null) return;
    if (!candidates.answer.candidates.some((each) => each.index === index)) return;
    if ((choosing ?? candidates.answer.selected) === index) return;
    this.state.set({ previewed: null });
    this.#push({ kind: "choose", object: null, index }, active);
    this.announcer.say(`Candidate ${index + 1} taken`);
  }

  /** Take the candidate so many places further; from the last to the first. @param {number} places */
  chooseNext(places) {
    const { candidates, choosing } = this.state.now;
    if (!candidates) return;
    const { candidates: all, selected } = candidates.answer;
    const at = all.findIndex((each) => each.index === (choosing ?? selected));
    const next = all[(at + places + all.length) % all.length];
    if (next) this.choose(next.index);
  }

  /** The object is right: go on with the next one. */
  accept() {
    const object = this.state.activeObject;
    if (!this.state.now.active) return;
    this.deselect();
    this.announcer.say(object ? `${titleOf(object, this.state.now)} accepted` : "Accepted");
  }

  /** First the mode goes back to refining, then the selection. */
  drop() {
    if (this.state.now.mode !== "new") this.state.set({ mode: "new" });
    else this.deselect();
  }

  /** Nothing is in work any more; nothing is changed. */
  deselect() {
    this.state.set({ active: null, candidates: null, previewed: null, mode: "new", choosing: null });
    this.refreshPending();
  }

  /** @param {number} id */
  select(id) {
    if (this.state.now.active?.id === id) return;
    this.state.set({
      active: new ObjectRef(id), candidates: null, previewed: null, mode: "new", hover: null,
    });
    this.refreshPending();
    this.announcer.describe(this.state);
  }

  /** Delete an object; without an id, the one in work. @param {number | null} [id] */
  delete(id = this.state.now.active?.id ?? null) {
    const object = this.state.now.document?.objects.find((each) => each.id === id);
    if (!object || id === null) return;
    const ref = this.#refOf(id);
    if (this.state.now.active?.id === id) this.deselect();
    this.#push({ kind: "delete", object: id }, ref);
    this.announcer.say(`${titleOf(object, this.state.now)} deleted. Undo brings it back.`);
  }

  /**
   * The label for what comes next, and for the object in work.
   *
   * @param {number | null} label
   */
  setLabel(label) {
    this.state.set({ currentLabel: label });
    const { active } = this.state.now;
    if (active) this.labelObject(active, label);
    this.announcer.say(`Label ${this.state.label(label)?.name ?? "none"}`);
  }

  /** @param {ObjectRef} ref @param {number | null} label */
  labelObject(ref, label) {
    const object = this.state.now.document?.objects.find((each) => each.id === ref.id);
    if (object && object.label === label) return;
    this.#push({ kind: "label", object: null, label }, ref);
  }

  /** @param {number} id @param {string} name */
  rename(id, name) {
    this.#push({ kind: "rename", object: id, name: name.trim().slice(0, 200) }, this.#refOf(id));
  }

  /** @param {number} id */
  split(id) {
    this.#push({ kind: "split", object: id }, this.#refOf(id));
  }

  /**
   * Put an object so many places to the front (negative: to the back).
   *
   * @param {number} id
   * @param {number} places
   */
  moveForward(id, places) {
    const ids = (this.state.now.document?.objects ?? []).map((object) => object.id);
    const from = ids.indexOf(id);
    const to = Math.max(0, Math.min(ids.length - 1, from + places));
    if (from < 0 || from === to) return;
    ids.splice(to, 0, ...ids.splice(from, 1));
    this.#push({ kind: "reorder", objects: ids }, null);
    this.announcer.say(`Moved: ${ids.length - to} of ${ids.length} from the front`);
  }

  /** Make objects of what a search has found. @param {T.FoundThing[]} things */
  addFound(things) {
    this.#push({ kind: "found", label: this.state.now.currentLabel, things }, null);
  }

  /** @param {boolean} done */
  setDone(done) {
    if (!this.gallery.work) return;
    this.#push({ kind: "done", done }, null);
    this.announcer.say(done ? "Image marked done" : "Image not done");
  }

  /** Mark the image done and show the next one that is not. */
  finishImage() {
    const { document } = this.state.now;
    if (!document) return;
    if (!document.done) this.setDone(true);
    if (!this.gallery.openNextToDo()) this.announcer.hint("All images are done.");
  }

  undo() {
    const work = this.gallery.work;
    if (!work || (!this.state.now.document?.can_undo && work.steps.length === 0)) return;
    const gone = work.undo();
    if (gone && gone === this.state.now.active) this.deselect();
  }

  redo() {
    const work = this.gallery.work;
    if (work && this.state.now.document?.can_redo) work.redo();
  }

  /** What the steps under way mean for what is shown. */
  refreshPending() {
    const work = this.gallery.work;
    const { active } = this.state.now;
    this.state.set({
      pendingClicks: work?.pendingClicks(active) ?? [],
      choosing: work?.pendingChoice(active) ?? null,
      pendingStroke: work?.pendingStroke ?? null,
    });
  }

  /** Whether nothing says yet what the object in work is. */
  #isFresh() {
    const { active, pendingClicks } = this.state.now;
    const isScribbled = this.gallery.work?.steps.some((step) => step.ref === active && step.action?.kind === "scribble");
    return !active || (active.id === null && pendingClicks.length === 0 && !isScribbled);
  }

  #hintFirstClick() {
    this.announcer.hint("Click on the thing first: a background click takes away from an object.");
  }

  /**
   * An action that draws on the object in work, or makes one.
   *
   * @param {(label: number | null) => T.Action} make
   * @param {number | null} [strokeId]
   */
  #draw(make, strokeId = null) {
    if (!this.gallery.work) return;
    const ref = this.state.now.active ?? new ObjectRef(null);
    this.state.set({ active: ref, mode: "new", hover: null, previewed: null });
    this.gallery.work?.push(make(this.state.now.currentLabel), ref, strokeId);
  }

  /** @param {T.Action} action @param {ObjectRef | null} ref */
  #push(action, ref) {
    this.gallery.work?.push(action, ref);
  }

  /** @param {number} id */
  #refOf(id) {
    const { active } = this.state.now;
    return active?.id === id ? active : new ObjectRef(id);
  }

  /** @param {T.Click} click @returns {T.Click} */
  #clamped({ x, y, positive }) {
    const { width, height } = this.state.now.document ?? { width: 1, height: 1 };
    const clamp = (/** @type {number} */ value, /** @type {number} */ most) =>
      Math.max(0, Math.min(most - 1, value));
    return { x: clamp(x, width), y: clamp(y, height), positive };
  }
}
