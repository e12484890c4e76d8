/** What every command does; keys and buttons both come here. */

/** @import { AppState, Tool } from "./state.js" */
/** @import { Operation } from "./types.js" */
/** @import { Editor } from "./editor.js" */
/** @import { Gallery } from "./gallery.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Announcer } from "./announcer.js" */
/** @import { ThingSearch } from "./search.js" */
import { nextRadius } from "./toolbar.js";

const ZOOM_STEP = 1.25;

/**
 * @typedef {object} Parts
 * @property {AppState} state
 * @property {Editor} editor
 * @property {Gallery} gallery
 * @property {Stage} stage
 * @property {Announcer} announcer
 * @property {ThingSearch} search
 */

/**
 * @param {Parts} parts
 * @returns {Record<string, () => void>}
 */
export function makeCommands(parts) {
  return { ...objectCommands(parts), ...toolCommands(parts), ...viewCommands(parts), ...imageCommands(parts) };
}

/** @param {Parts} parts @returns {Record<string, () => void>} */
function objectCommands({ state, editor, announcer, search }) {
  // the object in work goes first: what was found waits
  const isSearch = () => !state.now.active && (state.now.found !== null || state.now.searching !== null);
  /** @type {Record<string, () => void>} */
  const commands = {
    accept: () => (isSearch() ? search.add() : editor.accept()),
    drop: () => (isSearch() ? search.discard() : editor.drop()),
    find_things: () => void search.begin(),
    new_object: () => {
      editor.deselect();
      announcer.say("The next click makes a new object");
    },
    delete: () => editor.delete(),
    undo: () => editor.undo(),
    redo: () => editor.redo(),
    next_candidate: () => editor.chooseNext(1),
    previous_candidate: () => editor.chooseNext(-1),
  };
  for (let index = 0; index < 6; index += 1) commands[`candidate_${index + 1}`] = () => editor.choose(index);
  return commands;
}

/** @param {Parts} parts @returns {Record<string, () => void>} */
function toolCommands({ state, announcer }) {
  const tool = (/** @type {Tool} */ name) => () => state.set({ tool: name });
  const mode = (/** @type {Operation} */ name) => () => {
    if (!state.now.active) return announcer.hint("Select an object first: a part joins one.");
    return state.set({ mode: state.now.mode === name ? "new" : name });
  };
  const size = (/** @type {1 | -1} */ direction) => () =>
    state.set({ brushRadius: nextRadius(state.now.brushRadius, direction) });
  return {
    tool_click: tool("click"), tool_box: tool("box"), tool_scribble: tool("scribble"),
    tool_brush: tool("brush"), tool_eraser: tool("eraser"), tool_pan: tool("pan"),
    swap_sign: () => state.set({ positive: !state.now.positive }),
    mode_add: mode("add"), mode_subtract: mode("subtract"), mode_intersect: mode("intersect"),
    smaller_brush: size(-1), larger_brush: size(1),
  };
}

/** @param {Parts} parts @returns {Record<string, () => void>} */
function viewCommands({ state, stage }) {
  const toggle = (/** @type {"hideMasks" | "outlineOnly" | "hatching" | "hints"} */ name) => () =>
    state.setView({ [name]: !state.now.view[name] });
  return {
    hide_masks: toggle("hideMasks"), outline_only: toggle("outlineOnly"),
    hatching: toggle("hatching"), hints: toggle("hints"),
    fit: () => stage.fit(),
    zoom_in: () => stage.zoomBy(ZOOM_STEP),
    zoom_out: () => stage.zoomBy(1 / ZOOM_STEP),
    actual_size: () => stage.zoomBy(1 / stage.viewState().scale),
  };
}

/** @param {Parts} parts @returns {Record<string, () => void>} */
function imageCommands({ state, editor, gallery }) {
  return {
    previous_image: () => gallery.step(-1),
    next_image: () => gallery.step(1),
    finish_image: () => editor.finishImage(),
    toggle_done: () => editor.setDone(!state.now.document?.done),
  };
}
