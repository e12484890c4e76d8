// The stage: the picture with everything on it. stage_types.js explains the words; stage_view.js
// paints.

import { HeldKeys } from "./held_keys.js";
import { PointerInput } from "./pointer.js";
import { Scribble } from "./scribble.js";
import { StageView } from "./stage_view.js";
import { tidy } from "./strokes.js";

/** @typedef {import("./pointer.js").Hand} Hand */
/** @typedef {import("./stage_types.js").Box} Box */
/** @typedef {import("./stage_types.js").Point} Point */
/** @typedef {import("./stage_types.js").Scene} Scene */
/** @typedef {import("./stage_types.js").SceneExtras} SceneExtras */
/** @typedef {import("./stage_types.js").StageEvents} StageEvents */
/** @typedef {import("./stage_types.js").StageImage} StageImage */
/** @typedef {import("./stage_types.js").Tool} Tool */
/** @typedef {import("./stage_types.js").ViewState} ViewState */

const NEAR_PX = 8; // a click this close beside the picture is meant for its border
const LOADING_AFTER_MS = 200;
const MIN_RADIUS = 0.5;
const MAX_RADIUS = 2000;

export class Stage extends EventTarget {
  /** @type {StageImage | null} the picture that was asked for */
  #image = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #loadingTimer;
  #isHovering = false;
  #listening = new AbortController();
  #view;
  #pointer;
  #keys;

  /** @param {HTMLElement} container is filled; its size is the stage's */
  constructor(container) {
    super();
    this.container = container;
    const view = new StageView(container, () => this.#tell("view", this.viewState()));
    this.#view = view;
    this.#pointer = new PointerInput(container, this.#makeHand());
    this.#keys = new HeldKeys(container, {
      cancel: () => this.#pointer.cancel(),
      look: (state) => view.updateLook(state),
    });
    const stillness = matchMedia("(prefers-reduced-motion: reduce)");
    view.motion.isReduced = stillness.matches;
    const { signal } = this.#listening;
    stillness.addEventListener("change", () => (view.motion.isReduced = stillness.matches), { signal });
  }

  /** Take everything out of the container again. */
  remove() {
    clearTimeout(this.#loadingTimer);
    this.#listening.abort();
    this.#pointer.remove();
    this.#keys.remove();
    this.#view.remove();
  }

  /** The whole picture, perhaps reduced; null before it is loaded. */
  get picture() {
    return this.#view.picture.view;
  }

  /**
   * Show another picture, without objects; the one before stays until it is there. The same id
   * again keeps view and scene.
   *
   * @param {StageImage | null} image
   * @returns {Promise<boolean>} when it is drawn; false when yet another one was asked for meanwhile
   */
  async openImage(image) {
    const keepsView = image !== null && this.#image?.id === image.id;
    this.#pointer.cancel();
    this.#image = image;
    if (!keepsView) {
      this.#pointer.forgetHover();
      this.#view.leave();
    }
    clearTimeout(this.#loadingTimer);
    this.#loadingTimer = setTimeout(() => this.#view.dim(true), LOADING_AFTER_MS);
    try {
      if (!(await this.#view.picture.load(image))) return false;
      this.#arrive(image, keepsView);
    } catch (error) {
      this.#image = null;
      this.#arrive(null, false);
      throw error;
    }
    return true;
  }

  /**
   * @param {StageImage | null} image
   * @param {boolean} keepsView
   */
  #arrive(image, keepsView) {
    clearTimeout(this.#loadingTimer);
    this.#view.dim(false);
    this.#view.show(image, keepsView);
  }

  /** @param {Partial<Scene> & SceneExtras} change is laid over the scene */
  setScene(change) {
    this.#view.changeScene(change);
  }

  /** @param {Partial<Tool>} change is laid over the tool */
  setTool(change) {
    const before = this.#view.tool.tool;
    this.#view.tool = { ...this.#view.tool, ...change };
    if (this.#view.tool.tool !== before) this.#pointer.forgetHover();
    this.#view.updateLook({});
  }

  /** Show the whole picture. */
  fit() {
    this.#view.motion.flyTo(this.#view.viewport.fitted(), true, performance.now());
    this.#view.moved();
  }

  /**
   * @param {number} factor
   * @param {Point} [at] screen position that stays; the middle otherwise
   */
  zoomBy(factor, at) {
    const { width, height } = this.#view.viewport;
    const { x, y } = at ?? { x: width / 2, y: height / 2 };
    this.#view.motion.zoomBy(factor, x, y, performance.now());
    this.#view.moved();
  }

  /**
   * @param {number} dxScreen
   * @param {number} dyScreen
   */
  panBy(dxScreen, dyScreen) {
    this.#view.motion.stop();
    this.#view.viewport.panBy(dxScreen, dyScreen);
    this.#view.moved();
  }

  /** @param {Box | number[]} box in image pixels */
  zoomToBox([x0, y0, x1, y1]) {
    this.#view.motion.flyTo(this.#view.viewport.aroundBox([x0, y0, x1, y1]), false, performance.now());
    this.#view.moved();
  }

  /** @returns {Promise<void>} when the view has come to rest and is painted */
  async whenSettled() {
    while (this.#view.motion.isRunning || this.#view.hasMoved) await new Promise(requestAnimationFrame);
  }

  /** @returns {ViewState} */
  viewState() {
    const { scale, left, top } = this.#view.viewport;
    return { scale, x: left, y: top };
  }

  /**
   * Move the keyboard's click cursor; the first move shows it.
   *
   * @param {number} dxScreen
   * @param {number} dyScreen
   */
  moveCursor(dxScreen, dyScreen) {
    const { cursor, motion, layers } = this.#view;
    if (!this.#isReady()) return;
    motion.stop();
    if (cursor.move(dxScreen, dyScreen)) this.#view.moved();
    layers.invalidate("overlay");
    this.#tell("cursor", cursor.at);
  }

  hideCursor() {
    const { cursor, layers } = this.#view;
    if (!cursor.at) return;
    cursor.hide();
    layers.invalidate("overlay");
    this.#tell("cursor", null);
  }

  /**
   * Click where the click cursor is; nothing happens while it is hidden.
   *
   * @param {boolean} positive
   */
  clickAtCursor(positive) {
    if (this.#view.cursor.at) this.#click(this.#view.cursor.at, positive);
  }

  #isReady() {
    return this.#view.picture.image !== null && !this.#view.isOpening;
  }

  /** @returns {Hand} */
  #makeHand() {
    const view = this.#view;
    const { viewport } = view;
    return {
      tool: () => (this.#isReady() ? view.tool.tool : "pan"),
      isPanKeyDown: () => this.#keys.isSpaceDown,
      click: (at, isOpposite) => {
        if (viewport.distanceToPicture(at.x, at.y) > NEAR_PX) return;
        this.hideCursor();
        this.#click(viewport.clamp(viewport.toImage(at.x, at.y)), view.tool.positive !== isOpposite);
      },
      drag: (from, to) => {
        view.hand.drag = to && this.#boxOf(from, to);
        view.layers.invalidate("overlay");
      },
      box: (from, to) => {
        const box = this.#boxOf(from, to);
        view.hand.drag = null;
        view.layers.invalidate("overlay");
        if (!box) return;
        view.lastAt = { x: box[2], y: box[1] };
        this.#tell("box", { box });
      },
      scribbleStart: (at, isOpposite) => {
        this.hideCursor();
        view.hand.scribble = new Scribble(viewport.toImage(at.x, at.y), view.tool.positive !== isOpposite);
        view.layers.invalidate("overlay");
      },
      scribbleMove: (points) => {
        for (const { x, y } of points) view.hand.scribble?.add(viewport.toImage(x, y));
        view.layers.invalidate("overlay");
      },
      scribbleEnd: (isKept) => this.#endScribble(isKept),
      strokeStart: (tool, at) => {
        const point = viewport.toImage(at.x, at.y);
        view.ink.begin(tool, view.tool.brushRadius, point);
        view.drawInk([point]);
      },
      strokeMove: (points) => this.#moveStroke(points.map(({ x, y }) => viewport.toImage(x, y))),
      strokeEnd: (isKept) => this.#endStroke(isKept),
      pan: (dx, dy) => this.panBy(dx, dy),
      zoom: (factor, at, glides) => {
        if (glides) {
          this.zoomBy(factor, at);
          return;
        }
        view.motion.stop();
        viewport.zoomAt(factor, at.x, at.y);
        view.moved();
      },
      hover: (at) => this.#hover(at),
      pointer: (at) => {
        view.hand.pointer = at;
        if (view.brush) view.layers.invalidate("overlay");
      },
      press: (at) => {
        view.hand.press = at && { at, start: performance.now() };
        view.layers.invalidate("overlay");
      },
      brushSize: (factor) => this.#resizeBrush(factor),
      look: (state) => {
        if (state.isPanning) this.#keys.notePan();
        view.updateLook(state);
      },
    };
  }

  /**
   * @param {Point} point
   * @param {boolean} positive
   */
  #click({ x, y }, positive) {
    this.#view.lastAt = { x, y };
    this.#tell("click", { x: tidy(x), y: tidy(y), positive });
  }

  /**
   * @param {Point} from screen
   * @param {Point} to
   * @returns {Box | null} in image pixels, inside the picture; null when nothing of it is
   */
  #boxOf(from, to) {
    const { viewport } = this.#view;
    const [a, b] = [from, to].map(({ x, y }) => viewport.clamp(viewport.toImage(x, y)));
    /** @type {Box} */
    const box = [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
    return box[2] > box[0] && box[3] > box[1] ? /** @type {Box} */ (box.map(tidy)) : null;
  }

  /** @param {boolean} isKept */
  #endScribble(isKept) {
    const { hand, layers, viewport } = this.#view;
    const { scribble } = hand;
    hand.scribble = null;
    layers.invalidate("overlay");
    if (!isKept || !scribble?.isOn(viewport)) return;
    const [x, y] = scribble.points[scribble.points.length - 1];
    this.#view.lastAt = viewport.clamp({ x, y });
    this.#tell("scribble", { points: scribble.points, positive: scribble.positive });
  }

  /** @param {Point[]} points image */
  #moveStroke(points) {
    const { ink } = this.#view;
    this.#view.drawInk(points);
    const stroke = ink.current;
    if (!stroke?.isFull) return;
    this.#endStroke(true); // so long that it becomes two
    ink.begin(stroke.tool, stroke.radius, points[points.length - 1]);
  }

  /** @param {boolean} isKept */
  #endStroke(isKept) {
    const stroke = this.#view.ink.end(isKept && this.#isOnPicture());
    this.#view.layers.invalidate("active", "overlay");
    if (!stroke) return;
    const [x, y] = stroke.tip;
    this.#view.lastAt = { x, y };
    this.#tell("stroke", { tool: stroke.tool, radius_px: stroke.radius, points: stroke.points, id: stroke.id });
  }

  /** Whether the stroke in hand comes anywhere near the picture. */
  #isOnPicture() {
    const { ink, viewport } = this.#view;
    const reach = (ink.current?.radius ?? 0) * viewport.scale;
    return ink.current?.points.some(([imageX, imageY]) => {
      const { x, y } = viewport.toScreen(imageX, imageY);
      return viewport.distanceToPicture(x, y) <= reach;
    }) ?? false;
  }

  /** @param {Point | null} at screen */
  #hover(at) {
    const { viewport, tool } = this.#view;
    const isAsked = ["click", "box"].includes(tool.tool) && this.#isReady();
    const isInside = at !== null && viewport.distanceToPicture(at.x, at.y) === 0;
    const point = at && isInside && isAsked ? viewport.clamp(viewport.toImage(at.x, at.y)) : null;
    if (!point && !this.#isHovering) return;
    this.#isHovering = point !== null;
    this.#tell("hover", point && { x: tidy(point.x), y: tidy(point.y) });
  }

  /** @param {number} factor */
  #resizeBrush(factor) {
    const before = this.#view.tool.brushRadius;
    const wanted = Math.round(before * factor * 10) / 10;
    const moved = Math.abs(wanted - before) >= 0.5 ? wanted : before + 0.5 * Math.sign(factor - 1);
    const radius = Math.min(Math.max(moved, MIN_RADIUS), MAX_RADIUS);
    this.setTool({ brushRadius: radius });
    this.#tell("brushsize", { radius });
  }

  /**
   * @template {keyof StageEvents} Name
   * @param {Name} name
   * @param {StageEvents[Name]} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
