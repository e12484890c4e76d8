/**
 * Shapes of what the server sends and takes, under /api/v1. Only types: this module is empty.
 *
 * Coordinates are pixels of the upright image, counted from the centre of the top-left pixel.
 *
 * @typedef {{size: [number, number], counts: string}} Rle  A mask: [height, width], COCO counts.
 *
 * @typedef {"untouched" | "in_work" | "done"} ImageStatus
 *
 * @typedef {object} ImageRow
 * @property {number} id
 * @property {string} name
 * @property {string} path
 * @property {number | null} width
 * @property {number | null} height
 * @property {ImageStatus} status
 * @property {boolean} missing
 * @property {number} num_objects
 * @property {number} revision
 * @property {string | null} problem  why it cannot be opened
 *
 * @typedef {object} Label
 * @property {number} id
 * @property {string} name
 * @property {number} colour  0 to 7, of the Okabe-Ito palette
 * @property {string | null} key
 *
 * @typedef {Omit<Label, "id"> & {id: number | null}} LabelDraft  A new label has no id yet.
 * @typedef {{revision: number, labels: Label[]}} LabelSet
 * @typedef {{revision: number, labels: LabelDraft[]}} LabelSetDraft
 *
 * @typedef {object} Project
 * @property {string} name
 * @property {string} version
 * @property {number} num_masks
 * @property {ImageRow[]} images
 * @property {LabelSet} labels
 * @property {Record<string, unknown>} settings
 * @property {Preferences} preferences
 *
 * @typedef {{enabled: boolean, num_learned: number}} Preferences
 *
 * @typedef {object} ServerStatus
 * @property {"ok" | "unavailable"} store
 * @property {string | null} reason
 * @property {"ok" | "missing"} folder
 * @property {number} waiting
 * @property {number[]} encoded
 *
 * @typedef {{x: number, y: number, positive: boolean}} Click
 * @typedef {[number, number, number, number]} Box  x0, y0, x1, y1
 * @typedef {"new" | "add" | "subtract" | "intersect"} Operation
 *
 * @typedef {object} Part
 * @property {Operation} op
 * @property {Click[]} clicks
 * @property {Box | null} box
 * @property {number | null} selected
 * @property {boolean} by_user
 * @property {number | null} score
 * @property {number | null} expected_iou
 *
 * @typedef {object} ImageObject
 * @property {number} id
 * @property {number | null} label
 * @property {string} name
 * @property {number} position  where masks overlap, the larger position is in front
 * @property {string} mask  name of the mask's content
 * @property {number} area
 * @property {Box | null} box
 * @property {Part[]} parts
 * @property {number} num_strokes
 * @property {boolean} has_candidates
 *
 * @typedef {object} ImageDocument
 * @property {number} id
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {ImageStatus} status
 * @property {boolean} done
 * @property {number} revision
 * @property {string | null} can_undo  kind of the action that undo would take back
 * @property {string | null} can_redo
 * @property {ImageObject[]} objects
 * @property {Record<string, Rle>} masks
 *
 * @typedef {"refine" | "add" | "subtract" | "intersect"} Mode
 *
 * @typedef {{kind: "click", object: number | null, label: number | null, clicks: Click[],
 *   mode: Mode, tab: string}} ClickAction
 * @typedef {{kind: "box", object: number | null, label: number | null, box: Box, mode: Mode,
 *   tab: string}} BoxAction
 * @typedef {{kind: "scribble", object: number | null, label: number | null,
 *   points: [number, number][], positive: boolean, mode: Mode, tab: string}} ScribbleAction
 * @typedef {{kind: "choose", object: number | null, index: number}} ChooseAction
 * @typedef {{kind: "stroke", object: number | null, label: number | null,
 *   tool: "brush" | "eraser", radius_px: number, points: [number, number][]}} StrokeAction
 * @typedef {{kind: "label", object: number | null, label: number | null}} LabelAction
 * @typedef {{kind: "rename", object: number | null, name: string}} RenameAction
 * @typedef {{kind: "delete", object: number | null}} DeleteAction
 * @typedef {{kind: "split", object: number | null}} SplitAction
 * @typedef {{kind: "reorder", objects: number[]}} ReorderAction
 * @typedef {{kind: "found", label: number | null, things: FoundThing[]}} FoundAction
 * @typedef {{kind: "done", done: boolean}} DoneAction
 * @typedef {ClickAction | BoxAction | ScribbleAction | ChooseAction | StrokeAction | LabelAction
 *   | RenameAction
 *   | DeleteAction | SplitAction | ReorderAction | FoundAction | DoneAction} Action
 *
 * @typedef {{document: ImageDocument, object: number | null, took_ms: number}} ActionAnswer
 *
 * @typedef {object} Candidate
 * @property {number} index
 * @property {number} score  probability that it is the one meant
 * @property {number} expected_iou
 * @property {number} area
 * @property {number} broken_clicks
 * @property {Rle} mask
 *
 * @typedef {object} CandidatesAnswer
 * @property {number} selected
 * @property {boolean} by_user
 * @property {Candidate[]} candidates
 * @property {{x: number, y: number} | null} next_click
 * @property {boolean} looks_good
 *
 * @typedef {{mask: Rle | null, expected_iou: number | null}} PreviewAnswer
 *
 * @typedef {{search: string, num_done: number, num_clicks: number}} SearchAnswer
 * @typedef {{mask: Rle, click: Click, candidate: number, expected_iou: number}} FoundThing
 * @typedef {{things: FoundThing[]}} FoundAnswer
 *
 * @typedef {"coco" | "yolo" | "voc" | "labelme" | "png" | "cutouts"} ExportFormat
 * @typedef {"coco" | "labelme" | "png"} ImportFormat
 *
 * @typedef {object} ExportAnswer
 * @property {string} folder
 * @property {string[]} files
 * @property {string[]} report
 * @property {number} num_objects
 * @property {number} num_images
 *
 * @typedef {{report: string[], images: {id: number, revision: number}[]}} ImportAnswer
 */

export {};
