// Everything that lies on top of the masks: clicks, boxes, the brush, the busy sign.

import { clear } from "./painter.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").Scene} Scene */
/** @typedef {import("./stage_types.js").Point} Point */
/** @typedef {import("./stage_types.js").Box} Box */
/** @typedef {import("./scribble.js").Scribble} Scribble */

/**
 * What the hand does; the scene is what the document says.
 *
 * @typedef {object} Marks
 * @property {Point | null} pointer screen
 * @property {{tool: "brush" | "eraser", radius: number} | null} brush shown at the pointer; radius in image pixels
 * @property {Box | null} drag a box that is being dragged, in image pixels
 * @property {Scribble | null} scribble that is being drawn
 * @property {Point | null} cursor the keyboard's click cursor, in image pixels
 * @property {{x: number, y: number, part: number} | null} press a long press, on screen; part of its time, 0 to 1
 * @property {Point | null} busyAt where to show that work is going on, in image pixels
 */

const POSITIVE = "#009E73";
const NEGATIVE = "#D55E00";
const DISC_PX = 7.5;
const DIAMOND_PX = 9.5; // from its centre to a corner: the same area as the disc
const PULSE_MS = 1200;
const TURN_MS = 900;
const TURN = 2 * Math.PI;

/** @param {Scene} scene */
export function hasPending(scene) {
  return scene.clicks.some((click) => click.pending);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} viewport
 * @param {Scene} scene
 * @param {Marks} marks
 * @param {{now: number, isStill: boolean}} clock isStill: people asked for less motion
 */
export function paintOverlay(context, viewport, scene, marks, clock) {
  clear(context);
  context.setTransform(viewport.ratio, 0, 0, viewport.ratio, 0, 0);
  if (scene.box) drawBox(context, viewport, scene.box, false);
  if (marks.drag) drawBox(context, viewport, marks.drag, true);
  if (marks.scribble) drawScribble(context, viewport, marks.scribble);
  if (scene.nextClick) drawSuggestion(context, viewport.toScreen(scene.nextClick.x, scene.nextClick.y));
  for (const click of scene.clicks) {
    const { x, y } = viewport.toScreen(click.x, click.y);
    drawClick(context, x, y, click.positive, click.pending === true, clock);
  }
  if (marks.cursor) drawCursor(context, viewport.toScreen(marks.cursor.x, marks.cursor.y));
  if (marks.brush && marks.pointer) {
    drawBrush(context, marks.pointer, marks.brush.radius * viewport.scale, marks.brush.tool);
  }
  if (marks.press) drawPress(context, marks.press);
  if (marks.busyAt) drawBusy(context, viewport, viewport.toScreen(marks.busyAt.x, marks.busyAt.y), clock);
}

/**
 * A disc with a plus or a diamond with a minus: told apart by shape, not only by colour.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {boolean} positive
 * @param {boolean} pending not yet answered
 * @param {{now: number, isStill: boolean}} clock
 */
function drawClick(context, x, y, positive, pending, { now, isStill }) {
  const colour = positive ? POSITIVE : NEGATIVE;
  if (pending) {
    const part = isStill ? 0.45 : (now % PULSE_MS) / PULSE_MS;
    context.globalAlpha = 0.85 * (1 - part);
    shape(context, x, y, positive, 1 + 1.1 * part);
    context.lineWidth = 2;
    context.strokeStyle = "#fff";
    context.stroke();
    context.globalAlpha = 0.75;
  }
  shape(context, x, y, positive, 1);
  context.lineJoin = "round";
  context.lineWidth = 5;
  context.strokeStyle = "rgba(8, 10, 14, 0.4)";
  context.stroke();
  context.lineWidth = 3.2;
  context.strokeStyle = "#fff";
  context.stroke();
  context.fillStyle = colour;
  context.fill();
  context.beginPath();
  context.moveTo(x - 3.6, y);
  context.lineTo(x + 3.6, y);
  if (positive) {
    context.moveTo(x, y - 3.6);
    context.lineTo(x, y + 3.6);
  }
  context.lineWidth = 2;
  context.lineCap = "round";
  context.strokeStyle = "#fff";
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {boolean} positive
 * @param {number} size
 */
function shape(context, x, y, positive, size) {
  context.beginPath();
  if (positive) {
    context.arc(x, y, DISC_PX * size, 0, TURN);
    return;
  }
  const reach = DIAMOND_PX * size;
  context.moveTo(x, y - reach);
  context.lineTo(x + reach, y);
  context.lineTo(x, y + reach);
  context.lineTo(x - reach, y);
  context.closePath();
}

/**
 * A line that is seen on every picture: white upon a dark rim.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} [rim]
 */
function strokeClear(context, width, rim = 0.55) {
  const dash = context.getLineDash();
  context.setLineDash([]);
  context.lineWidth = width + 2;
  context.strokeStyle = `rgba(8, 10, 14, ${rim})`;
  context.stroke();
  context.setLineDash(dash);
  context.lineWidth = width;
  context.strokeStyle = "#fff";
  context.stroke();
  context.setLineDash([]);
}

/**
 * A line of the sign's colour; dashed where it takes away, so that colour is not all that tells.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} viewport
 * @param {Scribble} scribble
 */
function drawScribble(context, viewport, { points, positive }) {
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  for (const [imageX, imageY] of points) {
    const { x, y } = viewport.toScreen(imageX, imageY);
    context.lineTo(x, y);
  }
  strokeClear(context, 7);
  context.lineWidth = 4;
  context.strokeStyle = positive ? POSITIVE : NEGATIVE;
  if (!positive) context.setLineDash([1, 8]);
  context.stroke();
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} viewport
 * @param {Box} box
 * @param {boolean} isDragged
 */
function drawBox(context, viewport, [x0, y0, x1, y1], isDragged) {
  const from = viewport.toScreen(x0, y0);
  const to = viewport.toScreen(x1, y1);
  context.lineJoin = "miter";
  context.beginPath();
  context.rect(from.x, from.y, to.x - from.x, to.y - from.y);
  if (isDragged) {
    context.fillStyle = "rgba(255, 255, 255, 0.1)";
    context.fill();
    context.setLineDash([6, 4]);
  }
  strokeClear(context, 1.5);
  if (!isDragged) drawCorners(context, from, to);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} from
 * @param {Point} to
 */
function drawCorners(context, from, to) {
  const arm = Math.min(10, Math.abs(to.x - from.x) / 3, Math.abs(to.y - from.y) / 3);
  context.beginPath();
  for (const [x, inX] of [[from.x, 1], [to.x, -1]]) {
    for (const [y, inY] of [[from.y, 1], [to.y, -1]]) {
      context.moveTo(x + inX * arm, y);
      context.lineTo(x, y);
      context.lineTo(x, y + inY * arm);
    }
  }
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = 3.5;
  context.strokeStyle = "#fff";
  context.stroke();
}

/**
 * Where a click would settle most: a calm ring, not another click.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Point} at
 */
function drawSuggestion(context, { x, y }) {
  context.beginPath();
  context.arc(x, y, 12, 0, TURN);
  context.fillStyle = "rgba(255, 255, 255, 0.14)";
  context.fill();
  context.globalAlpha = 0.9;
  strokeClear(context, 1.75, 0.5);
  context.beginPath();
  context.arc(x, y, 2, 0, TURN);
  strokeClear(context, 1.75, 0.5);
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} at
 */
function drawCursor(context, { x, y }) {
  context.lineCap = "butt";
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + 5 * dx, y + 5 * dy);
    context.lineTo(x + 20 * dx, y + 20 * dy);
  }
  strokeClear(context, 2, 0.7);
  context.beginPath();
  context.arc(x, y, 11, 0, TURN);
  strokeClear(context, 1.5, 0.7);
  context.beginPath();
  context.arc(x, y, 1.25, 0, TURN);
  context.fillStyle = "#fff";
  context.fill();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} at
 * @param {number} radius
 * @param {"brush" | "eraser"} tool
 */
function drawBrush(context, { x, y }, radius, tool) {
  context.lineCap = "butt";
  context.beginPath();
  context.arc(x, y, Math.max(radius, 1.5), 0, TURN);
  if (tool === "eraser") context.setLineDash([5, 4]);
  strokeClear(context, 1.5, 0.5);
  context.beginPath();
  if (radius < 4) {
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 6 * dx, y + 6 * dy);
      context.lineTo(x + 11 * dx, y + 11 * dy);
    }
  } else {
    context.moveTo(x - 3, y);
    context.lineTo(x + 3, y);
    if (tool === "brush") {
      context.moveTo(x, y - 3);
      context.lineTo(x, y + 3);
    }
  }
  strokeClear(context, 1.25, 0.5);
}

/**
 * A finger rests: the ring closes, then the click is negative.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, part: number}} press
 */
function drawPress(context, { x, y, part }) {
  const radius = 38; // wider than a finger
  context.lineCap = "round";
  context.beginPath();
  context.arc(x, y, radius, 0, TURN);
  context.lineWidth = 7;
  context.strokeStyle = "rgba(8, 10, 14, 0.35)";
  context.stroke();
  context.beginPath();
  context.arc(x, y, radius, -TURN / 4, -TURN / 4 + TURN * part);
  context.lineWidth = 4.5;
  context.strokeStyle = NEGATIVE;
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} viewport
 * @param {Point} at
 * @param {{now: number, isStill: boolean}} clock
 */
function drawBusy(context, viewport, at, { now, isStill }) {
  const x = Math.min(Math.max(at.x + 20, 16), Math.max(16, viewport.width - 16));
  const y = Math.min(Math.max(at.y - 20, 16), Math.max(16, viewport.height - 16));
  const start = isStill ? -TURN / 4 : ((now % TURN_MS) / TURN_MS) * TURN;
  context.beginPath();
  context.arc(x, y, 10.5, 0, TURN);
  context.fillStyle = "rgba(8, 10, 14, 0.6)";
  context.fill();
  context.lineCap = "round";
  context.lineWidth = 2.25;
  context.beginPath();
  context.arc(x, y, 6, 0, TURN);
  context.strokeStyle = "rgba(255, 255, 255, 0.25)";
  context.stroke();
  context.beginPath();
  context.arc(x, y, 6, start, start + 0.3 * TURN);
  context.strokeStyle = "#fff";
  context.stroke();
}
