// What mouse, pen and fingers mean. Positions here are screen positions on the stage; what happens
// then is the stage's business.

import { Hover } from "./hover.js";
import { Pinch } from "./pinch.js";
import { brushFactor, zoomOfWheel } from "./wheel.js";

/** @typedef {import("./stage_types.js").Point} Point */
/** @typedef {import("./stage_types.js").ToolName} ToolName */

/**
 * What the pointer asks the stage to do.
 *
 * @typedef {object} Hand
 * @property {() => ToolName} tool
 * @property {() => boolean} isPanKeyDown Space is held
 * @property {(at: Point, isOpposite: boolean) => void} click
 * @property {(from: Point, to: Point | null) => void} drag a box is being dragged; null: it is dropped
 * @property {(from: Point, to: Point) => void} box
 * @property {(at: Point, isOpposite: boolean) => void} scribbleStart
 * @property {(points: Point[]) => void} scribbleMove
 * @property {(isKept: boolean) => void} scribbleEnd
 * @property {(tool: "brush" | "eraser", at: Point) => void} strokeStart
 * @property {(points: Point[]) => void} strokeMove
 * @property {(isKept: boolean) => void} strokeEnd
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, at: Point, glides: boolean) => void} zoom
 * @property {(at: Point | null) => void} hover
 * @property {(at: Point | null) => void} pointer where it is
 * @property {(at: Point | null) => void} press a finger rests and may become a long press
 * @property {(factor: number) => void} brushSize
 * @property {(state: {isOpposite?: boolean, isPanning?: boolean}) => void} look which cursor to show
 */

/**
 * @typedef {{kind: "press", id: number, from: Point, isOpposite: boolean, isTouch: boolean}
 *   | {kind: "box", id: number, from: Point, isTouch: boolean}
 *   | {kind: "stroke" | "scribble" | "spent", id: number, isTouch: boolean}
 *   | {kind: "pan", id: number, last: Point, isTouch: boolean}
 *   | {kind: "pinch", id: -1, isTouch: true}} Gesture
 */

const DRAG_PX = 5;
const TOUCH_DRAG_PX = 10; // a fingertip rolls
export const LONG_PRESS_MS = 450;
const ERASER_BUTTON = 5; // of a pen turned around
const isMac = /mac/i.test(globalThis.navigator?.platform ?? "");

export class PointerInput {
  /** @type {Gesture | null} */
  #gesture = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #longPress;
  #hover;
  #pinch = new Pinch();
  #listening = new AbortController();

  /**
   * @param {HTMLElement} element
   * @param {Hand} hand
   */
  constructor(element, hand) {
    this.element = element;
    this.hand = hand;
    this.#hover = new Hover(hand.hover);
    const { signal } = this.#listening;
    element.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    element.addEventListener("pointermove", (event) => this.#move(event), { signal });
    element.addEventListener("pointerup", (event) => this.#up(event), { signal });
    element.addEventListener("pointercancel", (event) => this.#lose(event), { signal });
    element.addEventListener("lostpointercapture", (event) => this.#lose(event), { signal });
    element.addEventListener("pointerleave", () => this.#leave(), { signal });
    element.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    // the middle button would scroll, or paste
    element.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault(), { signal });
    element.addEventListener("auxclick", (event) => event.preventDefault(), { signal });
  }

  get isBusy() {
    return this.#gesture !== null;
  }

  remove() {
    this.cancel();
    this.#hover.stop();
    this.#listening.abort();
  }

  /** Another tool: what the pointer rests on means something else now. */
  forgetHover() {
    this.#hover.stop();
  }

  /**
   * Drop what is being dragged or painted.
   *
   * @returns {boolean} whether there was something to drop
   */
  cancel() {
    const gesture = this.#gesture;
    if (!gesture || gesture.kind === "spent" || gesture.kind === "pinch") return false;
    this.#drop();
    this.#gesture = { kind: "spent", id: gesture.id, isTouch: gesture.isTouch };
    return true;
  }

  #drop() {
    const gesture = this.#gesture;
    this.#stopLongPress();
    if (gesture?.kind === "box") this.hand.drag(gesture.from, null);
    if (gesture?.kind === "stroke") this.hand.strokeEnd(false);
    if (gesture?.kind === "scribble") this.hand.scribbleEnd(false);
    if (gesture?.kind === "pan") this.hand.look({ isPanning: false });
    this.#gesture = null;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    this.#hover.stop();
    const at = this.#position(event);
    const isTouch = event.pointerType === "touch";
    if (this.#gesture && this.#gesture.isTouch !== isTouch) {
      if (isTouch) return; // the hand that holds the pen
      this.#drop();
      this.#pinch.clear();
    }
    if (isTouch) {
      this.#pinch.put(event.pointerId, at);
      if (this.#pinch.size >= 2) {
        this.#drop(); // what the first finger began was no stroke and no box
        this.#gesture = { kind: "pinch", id: -1, isTouch: true };
        return;
      }
    } else if (this.#gesture) return;
    this.#capture(event.pointerId);
    this.hand.pointer(at);
    this.#begin(event, at, isTouch);
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} at
   * @param {boolean} isTouch
   */
  #begin(event, at, isTouch) {
    const id = event.pointerId;
    const tool = this.hand.tool();
    const isEraserEnd = event.button === ERASER_BUTTON;
    const isOpposite = event.button === 2 || isEraserEnd || isOppositeKey(event);
    if (event.button === 1 || (event.button === 0 && (tool === "pan" || this.hand.isPanKeyDown()))) {
      this.#gesture = { kind: "pan", id, last: at, isTouch };
      this.hand.look({ isPanning: true });
    } else if (event.button > 2 && !isEraserEnd) {
      this.#gesture = { kind: "spent", id, isTouch }; // buttons that go back and forth in the history
    } else if (tool === "brush" || tool === "eraser") {
      this.#gesture = { kind: "stroke", id, isTouch };
      const other = tool === "brush" ? "eraser" : "brush";
      this.hand.strokeStart(isEraserEnd ? "eraser" : isOpposite ? other : tool, at);
    } else if (tool === "pan") {
      this.#gesture = { kind: "spent", id, isTouch };
    } else {
      this.#gesture = { kind: "press", id, from: at, isOpposite, isTouch };
      if (isTouch) this.#startLongPress(at);
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#position(event);
    const gesture = this.#gesture;
    const isTouch = event.pointerType === "touch";
    if (!isTouch) this.hand.look({ isOpposite: isOppositeKey(event) });
    if (gesture?.kind === "pinch") {
      const { factor, dx, dy, middle } = this.#pinch.move(event.pointerId, at);
      this.hand.pan(dx, dy);
      if (factor !== 1) this.hand.zoom(factor, middle, false);
      return;
    }
    if (isTouch) this.#pinch.put(event.pointerId, at, true);
    if (!gesture) {
      if (isTouch) return;
      this.hand.pointer(at);
      if (event.buttons === 0) this.#hover.move(at);
      return;
    }
    if (gesture.id !== event.pointerId) return;
    this.hand.pointer(at);
    if (gesture.kind === "press") this.#leavePress(gesture, at);
    else if (gesture.kind === "box") this.hand.drag(gesture.from, at);
    else if (gesture.kind === "stroke") this.hand.strokeMove(this.#positions(event));
    else if (gesture.kind === "scribble") this.hand.scribbleMove(this.#positions(event));
    else if (gesture.kind === "pan") {
      this.hand.pan(at.x - gesture.last.x, at.y - gesture.last.y);
      gesture.last = at;
    }
  }

  /**
   * A press that moves becomes a scribble or a box, or pans under a finger.
   *
   * @param {Extract<Gesture, {kind: "press"}>} gesture
   * @param {Point} at
   */
  #leavePress({ id, from, isOpposite, isTouch }, at) {
    if (Math.hypot(at.x - from.x, at.y - from.y) <= (isTouch ? TOUCH_DRAG_PX : DRAG_PX)) return;
    this.#stopLongPress();
    const tool = this.hand.tool();
    if (tool === "scribble") {
      this.#gesture = { kind: "scribble", id, isTouch };
      this.hand.scribbleStart(from, isOpposite);
      this.hand.scribbleMove([at]);
    } else if (isTouch && tool !== "box") {
      this.#gesture = { kind: "pan", id, last: at, isTouch };
      this.hand.look({ isPanning: true });
    } else if (isOpposite) {
      this.#gesture = { kind: "spent", id, isTouch }; // a box has no sign
    } else {
      this.#gesture = { kind: "box", id, from, isTouch };
      this.hand.drag(from, at);
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.#pinch.delete(event.pointerId);
    const gesture = this.#gesture;
    if (gesture?.kind === "pinch") {
      this.#endPinch();
      return;
    }
    if (!gesture || gesture.id !== event.pointerId) return;
    this.#stopLongPress();
    this.#gesture = null;
    const at = this.#position(event);
    if (gesture.kind === "press") this.hand.click(gesture.from, gesture.isOpposite);
    else if (gesture.kind === "box") this.hand.box(gesture.from, at);
    else if (gesture.kind === "stroke") this.hand.strokeEnd(true);
    else if (gesture.kind === "scribble") this.hand.scribbleEnd(true);
    else if (gesture.kind === "pan") this.hand.look({ isPanning: false });
    if (gesture.isTouch) this.hand.pointer(null);
  }

  #endPinch() {
    const rest = this.#pinch.rest();
    if (rest) {
      // the finger that stays goes on moving the picture
      this.#gesture = { kind: "pan", id: rest.id, last: rest.at, isTouch: true };
    } else if (this.#pinch.size === 0) {
      this.#gesture = null;
    }
  }

  /** @param {PointerEvent} event */
  #lose(event) {
    this.#pinch.delete(event.pointerId);
    if (this.#gesture?.kind === "pinch") this.#endPinch();
    else if (this.#gesture?.id === event.pointerId) this.#drop();
  }

  #leave() {
    if (this.#gesture) return;
    this.#hover.stop();
    this.hand.pointer(null);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const tool = this.hand.tool();
    if (event.altKey && (tool === "brush" || tool === "eraser")) {
      this.hand.brushSize(brushFactor(event));
      return;
    }
    const { factor, glides } = zoomOfWheel(event);
    this.#hover.stop();
    this.hand.zoom(factor, this.#position(event), glides);
  }

  /** @param {Point} at */
  #startLongPress(at) {
    this.hand.press(at);
    this.#longPress = setTimeout(() => {
      const gesture = this.#gesture;
      if (gesture?.kind !== "press") return;
      this.#stopLongPress();
      this.#gesture = { kind: "spent", id: gesture.id, isTouch: true };
      globalThis.navigator.vibrate?.(12);
      this.hand.click(gesture.from, true);
    }, LONG_PRESS_MS);
  }

  #stopLongPress() {
    clearTimeout(this.#longPress);
    this.hand.press(null);
  }

  /** @param {number} id */
  #capture(id) {
    try {
      this.element.setPointerCapture(id);
    } catch {
      // the pointer is gone already, or the event came from a program: it works without
    }
  }

  /**
   * @param {MouseEvent} event
   * @returns {Point}
   */
  #position(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: event.clientX - left - this.element.clientLeft, y: event.clientY - top - this.element.clientTop };
  }

  /**
   * All positions since the last event: a fast stroke stays round.
   *
   * @param {PointerEvent} event
   * @returns {Point[]}
   */
  #positions(event) {
    const events = event.getCoalescedEvents?.() ?? [];
    return (events.length ? events : [event]).map((each) => this.#position(each));
  }
}

/**
 * @param {MouseEvent | KeyboardEvent} event
 * @returns {boolean} whether a key is held that turns the sign of a click around
 */
export function isOppositeKey(event) {
  return event.altKey || event.shiftKey || (isMac && event.ctrlKey);
}
