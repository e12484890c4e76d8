/** Ctrl (on a Mac: Command) and a click select the object there, instead of making one. */

/** @import { AppState } from "./state.js" */
/** @import { Editor } from "./editor.js" */
/** @import { MaskLibrary } from "./mask_library.js" */
/** @import { Stage } from "./stage.js" */

/**
 * @param {HTMLElement} stageElement
 * @param {Stage} stage
 * @param {AppState} state
 * @param {MaskLibrary} masks
 * @param {Editor} editor
 */
export function connectPicking(stageElement, stage, state, masks, editor) {
  stageElement.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !(event.ctrlKey || event.metaKey)) return;
    event.stopImmediatePropagation(); // before the stage, which would draw
    event.preventDefault();
    const { left, top } = stageElement.getBoundingClientRect();
    const { scale, x, y } = stage.viewState();
    const id = objectAt(state, masks, (event.clientX - left - x) / scale - 0.5, (event.clientY - top - y) / scale - 0.5);
    if (id === null) editor.deselect();
    else editor.select(id);
    stageElement.focus({ preventScroll: true });
  }, true);
}

/**
 * The object in front at a point of the image.
 *
 * @param {AppState} state
 * @param {MaskLibrary} masks
 * @param {number} x
 * @param {number} y
 * @returns {number | null}
 */
function objectAt(state, masks, x, y) {
  const { document, hidden } = state.now;
  if (!document) return null;
  const { width, height } = document;
  const found = document.objects.findLast((object) =>
    !hidden.has(object.id) && (masks.get(object.mask)?.hasPoint(x, y, width, height) ?? false));
  return found?.id ?? null;
}
