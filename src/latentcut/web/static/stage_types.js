// Typedefs of the stage; nothing here runs.
//
// Two frames of coordinates:
//   image   pixels of the upright picture, counted from the centre of the top-left pixel, so that
//           pixel (0, 0) covers -0.5 to 0.5: clicks, boxes and strokes, as on the wire
//   screen  CSS pixels from the top-left corner of the stage

/** @typedef {import("./masks.js").Mask} Mask */

/**
 * @typedef {object} Rle COCO's compressed run lengths
 * @property {[number, number] | number[]} size height, width
 * @property {string} counts
 */

/** @typedef {{x: number, y: number}} Point */

/** @typedef {[number, number, number, number]} Box x0, y0, x1, y1 */

/**
 * @typedef {object} StageImage
 * @property {number | string} id
 * @property {number} width of the picture itself, in pixels
 * @property {number} height
 * @property {string} viewUrl the whole picture, perhaps reduced
 * @property {(col: number, row: number) => string} tileUrl a 512-px tile at full resolution
 */

/**
 * @typedef {object} SceneObject
 * @property {number} id
 * @property {Mask} mask
 * @property {number} colour index into the palette, 0 to 7
 * @property {boolean} active
 * @property {boolean} hidden
 * @property {boolean} [proposed] no object yet: drawn with a dashed line
 */

/** @typedef {{x: number, y: number, positive: boolean, pending?: boolean}} SceneClick */

/**
 * @typedef {object} Scene
 * @property {SceneObject[]} objects later ones lie in front
 * @property {SceneClick[]} clicks of the active object
 * @property {Box | null} box in image pixels
 * @property {Mask | null} hover
 * @property {Mask | null} candidate drawn instead of the active object's mask
 * @property {Point | null} nextClick
 * @property {number} opacity of the fills, 0 to 1
 * @property {boolean} outlineOnly
 * @property {boolean} hideMasks
 * @property {boolean} hatching
 * @property {boolean} busy
 */

/**
 * @typedef {object} SceneExtras
 * @property {number} [strokesDone] drop pending strokes up to this id only; without it a new
 *   `objects` drops all that are finished
 */

/** @typedef {"click" | "box" | "scribble" | "brush" | "eraser" | "pan"} ToolName */

/**
 * @typedef {object} Tool
 * @property {ToolName} tool
 * @property {boolean} positive sign of a plain click
 * @property {number} brushRadius in image pixels
 * @property {number} [colour] of a stroke that starts a new object; the active object's otherwise
 */

/**
 * @typedef {object} StrokeEvent
 * @property {"brush" | "eraser"} tool
 * @property {number} radius_px
 * @property {[number, number][]} points
 * @property {number} id counts the strokes of this stage
 */

/**
 * @typedef {object} ViewState
 * @property {number} scale screen px per image px
 * @property {number} x screen position of the picture's left edge
 * @property {number} y of its top edge
 */

/**
 * @typedef {object} StageEvents what `event.detail` holds
 * @property {{x: number, y: number, positive: boolean}} click
 * @property {{box: Box}} box
 * @property {{points: [number, number][], positive: boolean}} scribble
 * @property {StrokeEvent} stroke
 * @property {Point | null} hover
 * @property {{radius: number}} brushsize
 * @property {ViewState} view
 * @property {Point | null} cursor the keyboard's click cursor
 */

export {};
