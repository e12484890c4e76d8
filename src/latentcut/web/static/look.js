// Which mouse cursor the stage shows.

/** @typedef {import("./stage_types.js").Tool} Tool */

const PLUS = new URL("./cursor_plus.svg", import.meta.url).href;
const MINUS = new URL("./cursor_minus.svg", import.meta.url).href;

/**
 * @param {Tool} tool
 * @param {object} state
 * @param {boolean} state.isOpposite a key is held that turns the sign around
 * @param {boolean} state.isSpaceDown
 * @param {boolean} state.isPanning
 * @returns {string} a value of the CSS property cursor
 */
export function cursorFor(tool, { isOpposite, isSpaceDown, isPanning }) {
  if (isPanning) return "grabbing";
  if (isSpaceDown || tool.tool === "pan") return "grab";
  if (tool.tool === "brush" || tool.tool === "eraser") return "none"; // the circle is drawn
  if (tool.tool === "box") return "crosshair";
  return `url("${tool.positive === isOpposite ? MINUS : PLUS}") 16 16, crosshair`;
}
