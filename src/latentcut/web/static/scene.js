/** What the stage draws, from what the page knows. */

/** @import * as T from "./types.js" */
/** @import { AppState, Values } from "./state.js" */
/** @import { MaskLibrary } from "./mask_library.js" */
/** @import { Mask } from "./masks.js" */
/** @import { Stage } from "./stage.js" */
/** @import { SceneClick, SceneObject } from "./stage_types.js" */
import { colourOf } from "./state.js";

/**
 * Keep the stage as the state says.
 *
 * @param {AppState} state
 * @param {Stage} stage
 * @param {MaskLibrary} masks
 */
export function connectScene(state, stage, masks) {
  state.on(["document", "active", "hidden", "labels", "pendingStroke", "found"], (now) => {
    const strokesDone = (now.pendingStroke ?? Infinity) - 1;
    stage.setScene({ objects: [...sceneObjects(now, masks), ...foundObjects(now)], strokesDone });
  });
  const inWork = /** @type {(keyof Values)[]} */ (["document", "active", "pendingClicks"]);
  state.on([...inWork, "candidates", "previewed", "choosing", "hover", "busy", "view"], (now) => {
    stage.setScene({
      clicks: sceneClicks(state),
      box: newestPart(state)?.box ?? null,
      hover: now.hover,
      candidate: shownCandidate(now),
      nextClick: suggestedClick(now),
      busy: now.busy,
    });
  });
  state.on(["view"], ({ view }) => {
    const { opacity, outlineOnly, hideMasks, hatching } = view;
    stage.setScene({ opacity, outlineOnly, hideMasks, hatching });
  });
  state.on(["tool", "positive", "brushRadius", "currentLabel", "labels", "active"], (now) => {
    const label = state.label(now.currentLabel);
    const { tool, positive, brushRadius } = now;
    stage.setTool({ tool, positive, brushRadius, ...(label ? { colour: label.colour } : {}) });
  });
}

/**
 * @param {Readonly<Values>} now
 * @param {MaskLibrary} masks
 * @returns {SceneObject[]}
 */
function sceneObjects({ document, active, hidden, labels }, masks) {
  return (document?.objects ?? []).flatMap((object) => {
    const mask = masks.get(object.mask);
    if (!mask) return []; // on its way
    const { id } = object;
    const colour = colourOf(object, labels);
    return [{ id, mask, colour, active: id === active?.id, hidden: hidden.has(id) }];
  });
}

/**
 * What was found and would be added.
 *
 * @param {Readonly<Values>} now
 * @returns {SceneObject[]}
 */
function foundObjects({ found }) {
  if (!found) return [];
  const shown = found.masks.slice(0, found.number).map((mask, place) => ({
    id: -1 - place, mask, colour: place % 7, active: false, hidden: false, proposed: true,
  }));
  return shown.sort((a, b) => b.mask.area - a.mask.area); // small things in front, as they will be
}

/** @param {AppState} state @returns {T.Part | undefined} */
function newestPart(state) {
  return state.activeObject?.parts.at(-1);
}

/**
 * Clicks of the newest part, which is the one that the next click joins; then those under way.
 *
 * @param {AppState} state
 * @returns {SceneClick[]}
 */
function sceneClicks(state) {
  const saved = (newestPart(state)?.clicks ?? []).map((click) => ({ ...click, pending: false }));
  return [...saved, ...state.now.pendingClicks.map((click) => ({ ...click, pending: true }))];
}

/** @param {Readonly<Values>} now @returns {Mask | null} */
function shownCandidate({ candidates, previewed, choosing, active }) {
  if (!candidates || !active || active.id !== candidates.object) return null;
  const index = previewed ?? choosing;
  const at = candidates.answer.candidates.findIndex((each) => each.index === index);
  return candidates.masks[at] ?? null;
}

/** @param {Readonly<Values>} now */
function suggestedClick({ candidates, active, document, pendingClicks, view }) {
  if (!view.hints || !candidates || !document || pendingClicks.length > 0) return null;
  if (candidates.object !== active?.id || candidates.revision !== document.revision) return null;
  return candidates.answer.looks_good ? null : candidates.answer.next_click;
}
