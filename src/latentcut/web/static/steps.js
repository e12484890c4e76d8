/** A step: one action, undo or redo on its way to the server; and what a document is after it. */

/** @import * as T from "./types.js" */
/** @import { ObjectRef } from "./state.js" */

export class Step {
  /** The user took it back while it was under way. */
  withdrawn = false;
  /** An answer got lost: the server may have saved it. */
  uncertain = false;

  /**
   * @param {T.Action | null} action  null for undo and redo.
   * @param {ObjectRef | null} ref  The object it is about; made by the action where it has no id.
   * @param {"undo" | "redo" | null} [travel]
   * @param {number | null} [strokeId]  the stage's name of a stroke
   */
  constructor(action, ref, travel = null, strokeId = null) {
    this.action = action;
    this.ref = ref;
    this.travel = travel;
    this.strokeId = strokeId;
  }

  /** The action with the object's id filled in. @returns {T.Action} */
  get body() {
    const action = /** @type {T.Action} */ (this.action);
    if (action.kind === "reorder" || action.kind === "found" || action.kind === "done") return action;
    return { ...action, object: this.ref?.id ?? null };
  }

  /** Whether it can only be about an object that exists. */
  get needsObject() {
    const kinds = ["choose", "label", "rename", "delete", "split"];
    return this.action !== null && kinds.includes(this.action.kind);
  }

  /** Whether it still means the same after somebody else changed the image. */
  get survivesConflict() {
    const kinds = ["click", "box", "scribble", "stroke", "label", "rename", "found", "done"];
    return this.action !== null && kinds.includes(this.action.kind);
  }

  /**
   * Take another action of the user into this step, if both can travel as one.
   *
   * @param {T.Action} action
   * @param {ObjectRef | null} ref
   * @returns {boolean}
   */
  absorb(action, ref) {
    const own = this.action;
    if (!own || !ref || this.ref !== ref || this.withdrawn) return false;
    if (own.kind === "click" && action.kind === "click" && action.mode === "refine") {
      own.clicks.push(...action.clicks);
      return true;
    }
    if (own.kind === "choose" && action.kind === "choose") {
      own.index = action.index;
      return true;
    }
    return false;
  }
}

/**
 * The document as it will be when these steps are saved, as far as that can be known here: what a
 * click, a box or a stroke makes is the server's to say.
 *
 * @param {T.ImageDocument} document
 * @param {Step[]} steps
 * @returns {T.ImageDocument}
 */
export function expectedDocument(document, steps) {
  return steps.reduce((before, step) => {
    return step.action && !step.withdrawn ? after(before, step.action, step.ref?.id ?? null) : before;
  }, document);
}

/**
 * @param {T.ImageDocument} document
 * @param {T.Action} action
 * @param {number | null} id
 * @returns {T.ImageDocument}
 */
function after(document, action, id) {
  /** @param {Partial<T.ImageObject>} patch */
  const withObject = (patch) => ({
    ...document,
    objects: document.objects.map((each) => (each.id === id ? { ...each, ...patch } : each)),
  });
  if (action.kind === "label") return withObject({ label: action.label });
  if (action.kind === "rename") return withObject({ name: action.name });
  if (action.kind === "delete") {
    return { ...document, objects: document.objects.filter((each) => each.id !== id) };
  }
  if (action.kind === "done") {
    return { ...document, done: action.done, status: action.done ? "done" : "in_work" };
  }
  if (action.kind === "reorder") {
    const place = new Map(action.objects.map((each, index) => [each, index]));
    const objects = document.objects
      .map((each) => ({ ...each, position: place.get(each.id) ?? each.position }))
      .sort((a, b) => a.position - b.position);
    return { ...document, objects };
  }
  return document;
}

/**
 * Whether a document is the one that a step, whose answer got lost, has led to.
 *
 * @param {Step} step
 * @param {T.ImageDocument} before
 * @param {T.ImageDocument} found
 * @returns {boolean}
 */
export function isResultOf(step, before, found) {
  if (found.revision !== before.revision + 1) return false;
  if (step.travel === "undo") return found.can_redo === before.can_undo;
  if (step.travel === "redo") return found.can_undo === before.can_redo;
  const action = step.body;
  if (found.can_undo !== action.kind) return false;
  if (action.kind !== "click") return true;
  const clicks = objectOf(step, before, found)?.parts.at(-1)?.clicks.slice(-action.clicks.length);
  return JSON.stringify((clicks ?? []).map(point)) === JSON.stringify(action.clicks.map(point));
}

/** @param {T.Click} click */
function point({ x, y, positive }) {
  return [x, y, positive];
}

/**
 * The object that a saved step was about: the one it names, or the one that is new.
 *
 * @param {Step} step
 * @param {T.ImageDocument} before
 * @param {T.ImageDocument} found
 * @returns {T.ImageObject | undefined}
 */
export function objectOf(step, before, found) {
  const id = step.ref?.id ?? null;
  if (id !== null) return found.objects.find((object) => object.id === id);
  const known = new Set(before.objects.map((object) => object.id));
  return found.objects.find((object) => !known.has(object.id));
}
