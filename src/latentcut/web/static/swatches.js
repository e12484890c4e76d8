/** Colours of labels, shown on controls. */

import { PALETTE } from "./palette.js";

export const COLOUR_NAMES = ["orange", "sky blue", "green", "yellow", "blue", "vermillion", "purple", "black"];

/**
 * Give an element of class "swatch" a colour of the palette.
 *
 * @param {HTMLElement} swatch
 * @param {number} colour  0 to 7
 */
export function setSwatch(swatch, colour) {
  swatch.style.setProperty("--swatch", PALETTE[colour] ?? "transparent");
}
