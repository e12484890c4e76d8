// What a turn of the wheel means: devices tell it in pixels, lines or pages, coarse or fine.

const LINE_PX = 32;
const PAGE_PX = 400;
const ZOOM_PER_PX = 0.0019; // a notch of 120 px: 1.26 times
const PINCH_PER_PX = 0.01; // a trackpad's pinch comes as a wheel with Ctrl, in small steps
const MAX_TURN_PX = 360;
const MAX_PINCH_PX = 24; // Ctrl with a real wheel is no more than a notch either
const COARSE_PX = 40; // a wheel with notches; its jumps are smoothed
const BRUSH_PER_PX = 0.0012; // a notch: 1.15 times

/** @typedef {Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode" | "ctrlKey" | "metaKey">} Turn */

/**
 * @param {Turn} turn
 * @returns {number} in pixels, downwards
 */
function pixels({ deltaX, deltaY, deltaMode }) {
  const delta = deltaY || deltaX; // some systems turn the wheel sideways while a key is held
  return delta * (deltaMode === 1 ? LINE_PX : deltaMode === 2 ? PAGE_PX : 1);
}

/**
 * @param {Turn} turn
 * @returns {{factor: number, glides: boolean}}
 */
export function zoomOfWheel(turn) {
  const delta = pixels(turn);
  const isPinch = turn.ctrlKey || turn.metaKey;
  const most = isPinch ? MAX_PINCH_PX : MAX_TURN_PX;
  const bounded = Math.min(Math.max(delta, -most), most);
  return {
    factor: Math.exp(-bounded * (isPinch ? PINCH_PER_PX : ZOOM_PER_PX)),
    glides: Math.abs(delta) >= COARSE_PX,
  };
}

/**
 * @param {Turn} turn
 * @returns {number}
 */
export function brushFactor(turn) {
  const delta = Math.min(Math.max(pixels(turn), -MAX_TURN_PX), MAX_TURN_PX);
  return Math.exp(-delta * BRUSH_PER_PX);
}
