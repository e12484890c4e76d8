// What the stage shows and how it is painted: its layers, the scene, the tool and what the hand
// does. stage.js changes these things and asks for frames.

import { ClickCursor } from "./cursor.js";
import { Ink } from "./ink.js";
import { Layers } from "./layers.js";
import { cursorFor } from "./look.js";
import { Motion } from "./motion.js";
import { hasPending, paintOverlay } from "./overlay.js";
import { MaskPainter, clear } from "./painter.js";
import { colourOf } from "./palette.js";
import { Picture } from "./picture.js";
import { LONG_PRESS_MS } from "./pointer.js";
import { Viewport } from "./viewport.js";

/** @typedef {import("./masks.js").Mask} Mask */
/** @typedef {import("./layers.js").LayerName} LayerName */
/** @typedef {import("./ink.js").Paint} Paint */
/** @typedef {import("./overlay.js").Marks} Marks */
/** @typedef {import("./stage_types.js").Box} Box */
/** @typedef {import("./stage_types.js").Point} Point */
/** @typedef {import("./stage_types.js").Scene} Scene */
/** @typedef {import("./stage_types.js").SceneExtras} SceneExtras */
/** @typedef {import("./stage_types.js").StageImage} StageImage */
/** @typedef {import("./scribble.js").Scribble} Scribble */
/** @typedef {import("./stage_types.js").Tool} Tool */

const REST_MS = 90; // after the last change of the view, the picture is painted with care
const PRESS_SHOWN_AFTER_MS = 120; // a tap shows no ring
const ON_OVERLAY = ["clicks", "box", "nextClick", "busy"];

/** @type {Pick<Scene, "objects" | "clicks" | "box" | "hover" | "candidate" | "nextClick" | "busy">} */
const NOTHING = { objects: [], clicks: [], box: null, hover: null, candidate: null, nextClick: null, busy: false };

export class StageView {
  /** @type {Scene} */
  scene = { ...NOTHING, opacity: 0.45, outlineOnly: false, hideMasks: false, hatching: false };
  /** @type {Tool} */
  tool = { tool: "click", positive: true, brushRadius: 12 };
  viewport = new Viewport();
  motion = new Motion(this.viewport);
  cursor = new ClickCursor(this.viewport);
  ink = new Ink();
  /** Whether another picture was asked for and is not there yet. */
  isOpening = false;
  /** @type {Point | null} where the last click, box or stroke ended, in image pixels */
  lastAt = null;
  /** @type {{pointer: Point | null, drag: Box | null, scribble: Scribble | null, press: {at: Point, start: number} | null}} */
  hand = { pointer: null, drag: null, scribble: null, press: null };
  /** Whether the view changed since the last frame. */
  hasMoved = false;
  #look = { isOpposite: false, isSpaceDown: false, isPanning: false };
  #isMoving = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #resting;
  #painter = new MaskPainter(this.viewport);

  /**
   * @param {HTMLElement} container
   * @param {() => void} onView called in the frame in which another view is painted
   */
  constructor(container, onView) {
    this.container = container;
    this.onView = onView;
    if (getComputedStyle(container).position === "static") container.style.position = "relative";
    Object.assign(container.style, { overflow: "hidden", touchAction: "none", userSelect: "none" });
    this.layers = new Layers(container, {
      onFrame: (now, dirty) => this.#paint(now, dirty),
      onResize: (width, height, ratio) => {
        this.viewport.resize(width, height, ratio);
        this.hasMoved = true;
      },
    });
    this.picture = new Picture(() => this.layers.invalidate("picture"));
    this.updateLook({});
  }

  remove() {
    clearTimeout(this.#resting);
    this.layers.remove();
    void this.picture.load(null);
  }

  /** The view is another one: paint everything. */
  moved() {
    this.hasMoved = true;
    this.#isMoving = true;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#isMoving = false;
      this.layers.invalidate("picture");
    }, REST_MS);
    this.layers.invalidateAll();
  }

  /** Leave the picture that is shown, before another one is there. */
  leave() {
    this.isOpening = true;
    this.changeScene(NOTHING);
    this.ink.clear();
    this.cursor.forget();
    this.lastAt = null;
  }

  /**
   * Another picture is loaded.
   *
   * @param {StageImage | null} image
   * @param {boolean} keepsView
   */
  show(image, keepsView) {
    this.isOpening = false;
    const { imageWidth, imageHeight } = this.viewport;
    const [width, height] = [image?.width ?? 0, image?.height ?? 0];
    Object.assign(this.viewport, { imageWidth: width, imageHeight: height });
    if (!keepsView || width !== imageWidth || height !== imageHeight) {
      this.motion.stop();
      this.viewport.fit();
      this.#painter.forgetMasks();
    }
    this.hasMoved = true;
    this.layers.paintNow();
  }

  /** @param {boolean} isLoading for so long that it should be seen */
  dim(isLoading) {
    const { style } = this.layers.contexts.picture.canvas;
    style.transition = this.motion.isReduced ? "" : "opacity 120ms";
    style.opacity = isLoading ? "0.35" : "";
  }

  /** @param {Partial<Scene> & SceneExtras} change */
  changeScene({ strokesDone, ...change }) {
    this.scene = { ...this.scene, ...change };
    if (change.objects) this.ink.settle(strokesDone);
    const beneath = Object.keys(change).filter((key) => !ON_OVERLAY.includes(key));
    this.layers.invalidate("overlay");
    if (beneath.length) this.layers.invalidate("active");
    if (beneath.some((key) => key !== "hover")) this.layers.invalidate("masks");
  }

  /** @param {Partial<{isOpposite: boolean, isSpaceDown: boolean, isPanning: boolean}>} state */
  updateLook(state) {
    Object.assign(this.#look, state);
    const cursor = cursorFor(this.tool, this.#look);
    if (this.container.style.cursor !== cursor) this.container.style.cursor = cursor;
    this.layers.invalidate("overlay");
  }

  /** Draw what the stroke in hand has gained at once: ink must not lag behind the hand. @param {Point[]} points */
  drawInk(points) {
    const context = this.layers.contexts.active;
    this.ink.draw(context, this.viewport, this.#paintOfInk(context), points);
  }

  /** @returns {Marks["brush"]} the brush to show where the pointer is */
  get brush() {
    const { tool, brushRadius } = this.tool;
    if ((tool !== "brush" && tool !== "eraser") || this.#look.isSpaceDown || this.#look.isPanning) return null;
    const other = tool === "brush" ? "eraser" : "brush";
    return { tool: this.ink.current?.tool ?? (this.#look.isOpposite ? other : tool), radius: brushRadius };
  }

  /** @returns {{mask: Mask | null, colour: number}} what the active layer shows */
  #active() {
    const active = this.scene.objects.find((object) => object.active);
    const shown = this.scene.candidate ?? (active && !active.hidden ? active.mask : null);
    const { imageWidth, imageHeight } = this.viewport;
    return { mask: this.ink.on(shown, imageWidth, imageHeight), colour: active?.colour ?? this.tool.colour ?? 0 };
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @returns {Paint}
   */
  #paintOfInk(context) {
    const { opacity, outlineOnly, hatching } = this.scene;
    const { colour } = this.#active();
    if (outlineOnly) return { style: colourOf(colour), alpha: 0.35 };
    if (hatching) return { style: this.#painter.hatch(context, colour, opacity), alpha: 1 };
    return { style: colourOf(colour), alpha: Math.max(opacity, 0.15) };
  }

  /**
   * @param {number} now
   * @param {Set<LayerName>} dirty
   */
  #paint(now, dirty) {
    const { picture, masks, active, overlay } = this.layers.contexts;
    const isAll = this.motion.step(now) || this.hasMoved;
    this.hasMoved = false;
    if (isAll || dirty.has("picture")) this.picture.paint(picture, this.viewport, this.#isMoving);
    if (this.isOpening) [masks, active, overlay].forEach(clear);
    else {
      if (isAll || dirty.has("masks")) this.#painter.paintOthers(masks, this.scene);
      if (isAll || dirty.has("active")) this.#paintActive(active);
      if (isAll || dirty.has("overlay")) this.#paintOverlay(overlay, now);
    }
    if (isAll) this.onView();
    if (this.motion.isRunning) this.moved();
  }

  /** @param {CanvasRenderingContext2D} context */
  #paintActive(context) {
    const { mask, colour } = this.#active();
    this.#painter.paintActive(context, this.scene, mask, colour);
    this.ink.draw(context, this.viewport, this.#paintOfInk(context));
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} now
   */
  #paintOverlay(context, now) {
    const { pointer, drag, scribble, press } = this.hand;
    const since = press ? performance.now() - press.start - PRESS_SHOWN_AFTER_MS : -1;
    const part = Math.min(1, since / (LONG_PRESS_MS - PRESS_SHOWN_AFTER_MS));
    /** @type {Marks} */
    const marks = {
      pointer,
      drag,
      scribble,
      brush: this.brush,
      cursor: this.cursor.at,
      press: press && part > 0 ? { ...press.at, part } : null,
      busyAt: this.scene.busy ? this.#busyAt() : null,
    };
    const isStill = this.motion.isReduced;
    paintOverlay(context, this.viewport, this.scene, marks, { now, isStill });
    const turns = this.scene.busy || hasPending(this.scene);
    if (press || (turns && !isStill)) this.layers.invalidate("overlay");
  }

  /** @returns {Point} */
  #busyAt() {
    const { width, height } = this.viewport;
    return this.lastAt ?? this.scene.clicks.at(-1) ?? this.viewport.toImage(width / 2, height / 2);
  }
}
