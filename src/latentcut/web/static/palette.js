// The Okabe-Ito palette, which people with any kind of colour vision can tell apart, and for each
// colour a hatching of its own, so that a mask can also be told without colour.

/** @type {readonly string[]} */
export const PALETTE = Object.freeze([
  "#E69F00", // orange
  "#56B4E9", // sky blue
  "#009E73", // bluish green
  "#F0E442", // yellow
  "#0072B2", // blue
  "#D55E00", // vermillion
  "#CC79A7", // reddish purple
  "#000000", // black
]);

/** Sides of the repeating tiles in CSS pixels, by colour. */
const TILE_SIDES = [9, 9, 7, 7, 14, 12, 8, 14];
const LINE_PX = 1.75;
const DARK_COLOURS = new Set([4, 7]); // blue, black: they need a light rim to be seen

/**
 * @param {number} colour index into the palette; others wrap around
 * @returns {string}
 */
export function colourOf(colour) {
  return PALETTE[indexOf(colour)];
}

/**
 * The colour of the rim that sets an outline off from the picture.
 *
 * @param {number} colour
 * @param {number} alpha
 */
export function rimOf(colour, alpha) {
  return DARK_COLOURS.has(indexOf(colour)) ? `rgba(255, 255, 255, ${alpha})` : `rgba(8, 10, 14, ${alpha})`;
}

/**
 * @param {number} colour
 * @returns {number}
 */
function indexOf(colour) {
  return ((Math.trunc(colour) % PALETTE.length) + PALETTE.length) % PALETTE.length;
}

/**
 * A canvas that repeats as hatching: a light ground and lines of the same colour.
 *
 * @param {number} colour
 * @param {number} opacity of the fill that the hatching stands for, 0 to 1
 * @param {number} ratio device pixels per CSS pixel
 * @returns {HTMLCanvasElement}
 */
export function hatchTile(colour, opacity, ratio) {
  const index = indexOf(colour);
  const side = Math.max(4, Math.round(TILE_SIDES[index] * ratio));
  const tile = document.createElement("canvas");
  tile.width = side;
  tile.height = side;
  const context = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  context.globalAlpha = 0.55 * opacity;
  context.fillStyle = PALETTE[index];
  context.fillRect(0, 0, side, side);
  // lines replace the ground, so that their opacity is what is written here
  context.globalAlpha = 1;
  const lines = document.createElement("canvas");
  lines.width = side;
  lines.height = side;
  const pen = /** @type {CanvasRenderingContext2D} */ (lines.getContext("2d"));
  pen.strokeStyle = PALETTE[index];
  pen.fillStyle = PALETTE[index];
  pen.lineWidth = LINE_PX * ratio;
  drawHatch(pen, index, side, ratio);
  context.globalCompositeOperation = "destination-out";
  context.drawImage(lines, 0, 0);
  context.globalCompositeOperation = "source-over";
  context.globalAlpha = Math.min(1, 0.25 + 1.1 * opacity) * Math.min(1, 8 * opacity);
  context.drawImage(lines, 0, 0);
  return tile;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} index
 * @param {number} side
 * @param {number} ratio
 */
function drawHatch(pen, index, side, ratio) {
  /** @type {(x0: number, y0: number, x1: number, y1: number) => void} */
  const line = (x0, y0, x1, y1) => {
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
  };
  const rising = () => [-1, 0, 1].forEach((at) => line(at * side - side, 2 * side, at * side + 2 * side, -side));
  const falling = () => [-1, 0, 1].forEach((at) => line(at * side - side, -side, at * side + 2 * side, 2 * side));
  const level = () => line(0, side / 2, side, side / 2);
  const upright = () => line(side / 2, 0, side / 2, side);
  const dot = () => {
    pen.beginPath();
    pen.arc(side / 2, side / 2, 2 * ratio, 0, 2 * Math.PI);
    pen.fill();
  };
  const broken = () => line(0.15 * side, 0.85 * side, 0.85 * side, 0.15 * side);
  /** @type {(() => void)[][]} */
  const hatchings = [[rising], [falling], [level], [upright], [rising, falling], [level, upright], [dot], [broken]];
  hatchings[index].forEach((draw) => draw());
}
