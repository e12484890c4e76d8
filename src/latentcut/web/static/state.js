/** What the page knows and shows, in one place. Everything that draws listens here. */

/** @import * as T from "./types.js" */
/** @import { Mask } from "./masks.js" */
/** @import { Trouble } from "./retry.js" */

/**
 * An object that may not have its id yet: the first click that makes it is still under way.
 * Clicks that follow hold the same reference, so they reach the object whatever its id will be.
 */
export class ObjectRef {
  /** @param {number | null} id */
  constructor(id) {
    this.id = id;
  }
}

/**
 * @typedef {"click" | "box" | "scribble" | "brush" | "eraser" | "pan"} Tool
 *
 * @typedef {object} View
 * @property {number} opacity  of the masks, 0 to 1
 * @property {boolean} outlineOnly
 * @property {boolean} hatching
 * @property {boolean} hideMasks
 * @property {boolean} hints  the suggested next click
 *
 * @typedef {object} CandidateSet
 * @property {number} object
 * @property {number} revision
 * @property {T.CandidatesAnswer} answer
 * @property {Mask[]} masks  one per candidate
 *
 * @typedef {object} Found
 * @property {T.FoundThing[]} things  the surest first
 * @property {Mask[]} masks  one per thing
 * @property {number} number  so many of the surest are shown, and would be added
 * @property {boolean} isAdding  on their way to the server
 *
 * @typedef {object} Values
 * @property {{name: string, version: string, numMasks: number} | null} project
 * @property {string | null} projectError  why there is no project
 * @property {T.ImageRow[]} images
 * @property {T.LabelSet} labels
 * @property {number | null} imageId
 * @property {"none" | "opening" | "ready" | "failed"} opening
 * @property {string} openError
 * @property {T.ImageDocument | null} document  as it will be when all steps are saved
 * @property {T.Click[]} pendingClicks  of the active object, not answered yet
 * @property {number | null} choosing  candidate taken, not answered yet
 * @property {number | null} pendingStroke  first stroke not answered yet
 * @property {ObjectRef | null} active
 * @property {ReadonlySet<number>} hidden  ids of objects
 * @property {number | null} currentLabel
 * @property {Tool} tool
 * @property {boolean} positive
 * @property {number} brushRadius  image pixels
 * @property {T.Operation} mode
 * @property {View} view
 * @property {CandidateSet | null} candidates
 * @property {number | null} previewed  index of the candidate under the pointer
 * @property {Mask | null} hover
 * @property {{numDone: number, numClicks: number} | null} searching  how far the search for things is
 * @property {Found | null} found  what it found, until it is added or discarded
 * @property {boolean} busy  an answer is late enough to say so
 * @property {number} unsaved  steps not saved yet, in all images
 * @property {boolean} everSaved
 * @property {Trouble | null} trouble
 * @property {ReadonlySet<number>} encoded  images whose first click will be quick
 * @property {boolean} cursorOn  the keyboard's click cursor is shown
 * @property {number} zoom  screen pixels per image pixel
 */

/** @returns {Values} */
function startValues() {
  return {
    project: null, projectError: null, images: [], labels: { revision: 0, labels: [] },
    imageId: null, opening: "none", openError: "", document: null,
    pendingClicks: [], choosing: null, pendingStroke: null, active: null, hidden: new Set(), currentLabel: null,
    tool: "click", positive: true, brushRadius: 16, mode: "new",
    view: { opacity: 0.5, outlineOnly: false, hatching: false, hideMasks: false, hints: true },
    candidates: null, previewed: null, hover: null, searching: null, found: null, busy: false,
    unsaved: 0, everSaved: false, trouble: null, encoded: new Set(), cursorOn: false, zoom: 1,
  };
}

export class AppState extends EventTarget {
  /** @type {Set<keyof Values>} */
  #changed = new Set();

  constructor() {
    super();
    /** Read freely, write with `set`. @type {Readonly<Values>} */
    this.now = startValues();
  }

  /**
   * Change some values. Listeners hear of it once, before the next frame, however often this is
   * called until then.
   *
   * @param {Partial<Values>} patch
   */
  set(patch) {
    const names = /** @type {(keyof Values)[]} */ (Object.keys(patch));
    const changed = names.filter((name) => !Object.is(this.now[name], patch[name]));
    if (changed.length === 0) return;
    if (this.#changed.size === 0) queueMicrotask(() => this.#tell());
    for (const name of changed) this.#changed.add(name);
    Object.assign(this.now, patch);
  }

  /** @param {Partial<View>} patch */
  setView(patch) {
    this.set({ view: { ...this.now.view, ...patch } });
  }

  /**
   * Call `listener` now, and whenever one of these values changes.
   *
   * @param {(keyof Values)[]} names
   * @param {(values: Readonly<Values>) => void} listener
   */
  on(names, listener) {
    listener(this.now);
    this.addEventListener("change", (event) => {
      const { detail } = /** @type {CustomEvent<ReadonlySet<keyof Values>>} */ (event);
      if (names.some((name) => detail.has(name))) listener(this.now);
    });
  }

  /** The object in work, as the document has it; null while it is being made. */
  get activeObject() {
    const { active, document } = this.now;
    if (!active || active.id === null || !document) return null;
    return document.objects.find((object) => object.id === active.id) ?? null;
  }

  /** @param {number | null} id */
  label(id) {
    return this.now.labels.labels.find((label) => label.id === id) ?? null;
  }

  /** @param {number | null} id */
  image(id) {
    return this.now.images.find((image) => image.id === id) ?? null;
  }

  /**
   * Replace what the film strip shows of one image.
   *
   * @param {number} id
   * @param {Partial<T.ImageRow>} patch
   */
  setImage(id, patch) {
    const images = this.now.images.map((row) => (row.id === id ? { ...row, ...patch } : row));
    this.set({ images });
  }

  #tell() {
    const detail = new Set(this.#changed);
    this.#changed.clear();
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

/**
 * Colour of an object: its label's, or, unlabelled, one that tells neighbours apart.
 *
 * @param {T.ImageObject} object
 * @param {T.LabelSet} labels
 * @returns {number}  0 to 7
 */
export function colourOf(object, labels) {
  return labels.labels.find((label) => label.id === object.label)?.colour ?? object.id % 7; // no black
}

/**
 * What to call an object: its name, or its label and its number among those of the label.
 *
 * @param {T.ImageObject} object
 * @param {Readonly<Values>} values
 * @returns {string}
 */
export function titleOf(object, { document, labels }) {
  if (object.name) return object.name;
  const label = labels.labels.find((each) => each.id === object.label);
  const alike = (document?.objects ?? []).filter((each) => each.label === object.label);
  const number = 1 + alike.filter((each) => each.id < object.id).length;
  return `${label ? label.name : "Object"} ${number}`;
}
