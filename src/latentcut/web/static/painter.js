// Draws masks: fills, hatching and outlines. One painter serves both mask layers of the stage, the
// calm one of the other objects and the one of the active object.

import { MaskShapes } from "./mask_shapes.js";
import { colourOf, hatchTile, rimOf } from "./palette.js";
import { Shelf } from "./shelf.js";

/** @typedef {import("./masks.js").Mask} Mask */
/** @typedef {import("./mask_shapes.js").Outline} Outline */
/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./stage_types.js").Scene} Scene */

/**
 * @typedef {object} Line
 * @property {string} colour
 * @property {number} width in CSS pixels
 * @property {number[]} [dash] in CSS pixels
 */

/** @typedef {{side: number, x: number, y: number}} Place device pixels per unit of a path, and where it begins */

const CALM = 0.55; // of the opacity, for objects that are not in work while another one is
const LIVELY = 0.85; // of the opacity, while none is
const HOVER = { colour: "#ffffff", opacity: 0.2 }; // no colour of the palette: it is no object yet
const HERE = { side: 1, x: 0, y: 0 };

export class MaskPainter {
  #shapes = new MaskShapes();
  /** @type {Shelf<HTMLCanvasElement>} */
  #tiles = new Shelf(64);

  /** @param {Viewport} viewport */
  constructor(viewport) {
    this.viewport = viewport;
  }

  forgetMasks() {
    this.#shapes.clear();
  }

  /**
   * The objects that are not in work.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   */
  paintOthers(context, scene) {
    clear(context);
    if (scene.hideMasks) return;
    const others = scene.objects.filter((object) => !object.active && !object.hidden);
    const isCalm = scene.objects.some((object) => object.active) || scene.candidate !== null;
    const opacity = scene.opacity * (isCalm ? CALM : LIVELY);
    if (!scene.outlineOnly) {
      for (const { mask, colour } of others) {
        this.#fill(context, mask, colourOf(colour), opacity, scene.hatching ? colour : null);
      }
    }
    const isWide = !isCalm || scene.outlineOnly;
    for (const { mask, colour, proposed } of others) {
      if (proposed) this.#stroke(context, mask, dashed(colour));
      else this.#strokeThin(context, mask, colourOf(colour), rimOf(colour, isCalm ? 0.3 : 0.4), isWide);
    }
  }

  /**
   * The object in work or the candidate previewed in its place, and the hover preview.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   * @param {Mask | null} mask
   * @param {number} colour
   */
  paintActive(context, scene, mask, colour) {
    clear(context);
    if (scene.hideMasks) return;
    if (mask) {
      if (!scene.outlineOnly) {
        this.#fill(context, mask, colourOf(colour), scene.opacity, scene.hatching ? colour : null);
      }
      this.#stroke(context, mask, [
        { colour: rimOf(colour, 0.62), width: 4.25 },
        { colour: colourOf(colour), width: 2.25 },
        ...(scene.candidate ? [{ colour: "#fff", width: 2.25, dash: [5, 5] }] : []),
      ]);
    }
    if (scene.hover) {
      if (!scene.outlineOnly) this.#fill(context, scene.hover, HOVER.colour, HOVER.opacity, null);
      this.#stroke(context, scene.hover, [
        { colour: "rgba(8, 10, 14, 0.45)", width: 3 },
        { colour: "rgba(255, 255, 255, 0.95)", width: 1.5, dash: [5, 4] },
      ]);
    }
  }

  /**
   * The hatching of a colour as a style; its lines are fixed to the picture, their width to the screen.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {number} colour
   * @param {number} opacity
   * @param {Place} [place] the transform that it will be used with
   * @returns {CanvasPattern | string}
   */
  hatch(context, colour, opacity, { side, x, y } = HERE) {
    const { left, top, ratio } = this.viewport;
    const key = `${colour}/${opacity.toFixed(2)}/${ratio}`;
    let tile = this.#tiles.get(key);
    if (!tile) {
      tile = hatchTile(colour, opacity, ratio);
      this.#tiles.put(key, tile, 1);
    }
    const pattern = context.createPattern(tile, "repeat");
    if (!pattern) return colourOf(colour);
    const [offsetX, offsetY] = [(left * ratio) % tile.width, (top * ratio) % tile.height];
    pattern.setTransform(new DOMMatrix([1 / side, 0, 0, 1 / side, (offsetX - x) / side, (offsetY - y) / side]));
    return pattern;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Mask} mask
   * @param {string} colour
   * @param {number} opacity
   * @param {number | null} hatching index of the colour whose hatching to use
   */
  #fill(context, mask, colour, opacity, hatching) {
    const outline = this.#outlineOf(mask);
    if (!outline || opacity <= 0) return;
    if (!MaskShapes.isFillable(outline)) {
      this.#fillBitmap(context, mask, colour, opacity);
      return;
    }
    const place = this.#placeOf(mask, outline);
    enter(context, place);
    context.globalAlpha = hatching === null ? opacity : 1;
    context.fillStyle = hatching === null ? colour : this.hatch(context, hatching, opacity, place);
    context.fill(outline.path, "evenodd");
    context.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Mask} mask
   * @param {string} colour
   * @param {number} opacity
   */
  #fillBitmap(context, mask, colour, opacity) {
    const silhouette = this.#shapes.silhouette(mask, colour, MaskShapes.level(this.#scaleOf(mask)));
    if (!silhouette) return;
    enter(context, this.#placeOf(mask, silhouette));
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = !this.viewport.isCrisp;
    context.drawImage(silhouette.canvas, 0, 0);
    context.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Mask} mask
   * @param {Line[]} lines drawn one upon the other
   */
  #stroke(context, mask, lines) {
    const outline = this.#outlineOf(mask);
    if (!outline) return;
    const { ratio } = this.viewport;
    const place = this.#placeOf(mask, outline);
    const path = this.#seen(mask, outline);
    enter(context, place);
    context.lineJoin = "round";
    for (const { colour, width, dash = [] } of lines) {
      context.strokeStyle = colour;
      context.lineWidth = (width * ratio) / place.side;
      context.setLineDash(dash.map((length) => (length * ratio) / place.side));
      context.stroke(path);
    }
    context.setLineDash([]);
  }

  /**
   * A thin line with a rim, put together from lines one device pixel wide: without a graphics card
   * these are drawn more than ten times faster than wider ones, and there may be many objects.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Mask} mask
   * @param {string} colour
   * @param {string} rim
   * @param {boolean} isWide
   */
  #strokeThin(context, mask, colour, rim, isWide) {
    const outline = this.#outlineOf(mask);
    if (!outline) return;
    const place = this.#placeOf(mask, outline);
    const path = this.#seen(mask, outline);
    const reach = isWide || this.viewport.ratio > 1.25 ? 0.5 : 0; // of the colour to all sides
    context.lineJoin = "miter";
    context.lineWidth = 0.99 / place.side; // rounded up to more than 1, it would be slow again
    for (const [style, distance] of /** @type {[string, number][]} */ ([[rim, reach + 1], [colour, reach]])) {
      context.strokeStyle = style;
      for (const [dx, dy] of distance ? SIDES : [[0, 0]]) {
        enter(context, { ...place, x: place.x + dx * distance, y: place.y + dy * distance });
        context.stroke(path);
      }
    }
  }

  /** @param {Mask} mask */
  #outlineOf(mask) {
    const scale = this.#scaleOf(mask);
    return this.#shapes.outline(mask, MaskShapes.level(scale), this.#isExact(scale));
  }

  /**
   * @param {Mask} mask
   * @param {Outline} outline
   */
  #seen(mask, outline) {
    const { x0, y0, step } = outline;
    const perPixel = mask.width / this.viewport.imageWidth;
    const [left, top, right, bottom] = this.viewport.visible().map((length) => length * perPixel);
    const margin = 2;
    return MaskShapes.visible(outline, this.#isExact(this.#scaleOf(mask)), [
      (left - x0) / step - margin, (top - y0) / step - margin,
      (right - x0) / step + margin, (bottom - y0) / step + margin,
    ]);
  }

  /**
   * @param {Mask} mask
   * @param {{x0: number, y0: number, step: number}} shape
   * @returns {Place}
   */
  #placeOf(mask, { x0, y0, step }) {
    const { left, top, ratio } = this.viewport;
    const scale = this.#scaleOf(mask);
    return { side: scale * step, x: left * ratio + x0 * scale, y: top * ratio + y0 * scale };
  }

  /**
   * @param {Mask} mask
   * @returns {number} device pixels per mask pixel
   */
  #scaleOf(mask) {
    return (this.viewport.scale * this.viewport.ratio * this.viewport.imageWidth) / mask.width;
  }

  /** Whether the mask's pixels are large enough to be seen as squares. @param {number} scale */
  #isExact(scale) {
    return scale / this.viewport.ratio >= 3;
  }
}

/**
 * The line of what is no object yet.
 *
 * @param {number} colour
 * @returns {Line[]}
 */
function dashed(colour) {
  return [{ colour: rimOf(colour, 0.5), width: 3.25 }, { colour: colourOf(colour), width: 2, dash: [6, 4] }];
}

const SIDES = [[-1, 0], [1, 0], [0, -1], [0, 1]];

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Place} place
 */
function enter(context, { side, x, y }) {
  context.setTransform(side, 0, 0, side, x, y);
}

/** @param {CanvasRenderingContext2D} context */
export function clear(context) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
}
