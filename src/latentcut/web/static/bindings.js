/** Which key does what: the commands, their keys in three habits, and conflicts between them. */

/**
 * @typedef {object} Command
 * @property {string} id
 * @property {string} title
 * @property {string} group
 * @property {string[]} keys  as in the preset "latentcut"
 *
 * @typedef {"latentcut" | "photo" | "labelme"} PresetName
 * @typedef {Record<string, string[]>} Bindings  keys by command
 */

/** @type {readonly [string, readonly [string, string, ...string[]][]][]} */
const GROUPS = [
  ["Objects", [
    ["accept", "Accept the object in work", "Enter", "Space"],
    ["drop", "Drop the selection", "Escape"],
    ["new_object", "New object", "N"],
    ["delete", "Delete the object", "Delete"],
    ["rename", "Rename the object", "F2"],
    ["find_things", "Find all things in the image", "Shift+F"],
    ["undo", "Undo", "Ctrl+Z"],
    ["redo", "Redo", "Ctrl+Shift+Z", "Ctrl+Y"],
  ]],
  ["Tools", [
    ["tool_click", "Click", "Q"],
    ["tool_box", "Box", "W"],
    ["tool_scribble", "Scribble", "S"],
    ["tool_brush", "Brush", "B"],
    ["tool_eraser", "Eraser", "E"],
    ["tool_pan", "Move the picture", "G"],
    ["swap_sign", "Swap object and background", "X"],
    ["mode_add", "Next click adds a part", "Shift+A"],
    ["mode_subtract", "Next click subtracts a part", "Shift+S"],
    ["mode_intersect", "Next click keeps the common part", "Shift+I"],
    ["smaller_brush", "Smaller brush", "["],
    ["larger_brush", "Larger brush", "]"],
    ["click_cursor", "Click cursor on or off", "C"],
  ]],
  ["Candidates", [
    ["candidate_1", "Take candidate 1", "1"],
    ["candidate_2", "Take candidate 2", "2"],
    ["candidate_3", "Take candidate 3", "3"],
    ["candidate_4", "Take candidate 4", "4"],
    ["candidate_5", "Take candidate 5", "5"],
    ["candidate_6", "Take candidate 6", "6"],
    ["next_candidate", "Next candidate, in the picture", "Tab"],
    ["previous_candidate", "Candidate before, in the picture", "Shift+Tab"],
  ]],
  ["View", [
    ["hide_masks", "Hide masks", "V"],
    ["outline_only", "Outlines only", "H"],
    ["hatching", "Hatching", "Shift+H"],
    ["hints", "Suggested click", "Shift+V"],
    ["fit", "Fit the picture", "F"],
    ["zoom_in", "Zoom in", "+", "="],
    ["zoom_out", "Zoom out", "-"],
  ]],
  ["Images", [
    ["previous_image", "Image before", "A", "ArrowLeft"],
    ["next_image", "Next image", "D", "ArrowRight"],
    ["finish_image", "Mark done, go to the next", "M"],
    ["export", "Export", "Ctrl+E"],
    ["help", "Keys", "?"],
  ]],
];

/** @type {readonly Command[]} */
export const COMMANDS = GROUPS.flatMap(([group, rows]) =>
  rows.map(([id, title, ...keys]) => ({ id, title, group, keys })));

/** @type {Record<PresetName, {title: string, keys: Bindings}>} */
export const PRESETS = {
  latentcut: { title: "latentcut", keys: {} },
  photo: {
    title: "Photo editor",
    keys: {
      tool_click: ["W"], tool_box: ["M"], tool_pan: ["H"], hide_masks: ["Q", "Ctrl+H"],
      outline_only: ["Shift+Q"], hatching: [], drop: ["Escape", "Ctrl+D"], fit: ["Ctrl+0", "F"],
      delete: ["Delete", "Backspace"],
      previous_image: ["PageUp", "ArrowLeft"], next_image: ["PageDown", "ArrowRight"],
      finish_image: ["Ctrl+Enter"], redo: ["Ctrl+Shift+Z", "Ctrl+Y"],
    },
  },
  labelme: {
    title: "labelme",
    keys: {
      tool_click: ["Ctrl+J", "Q"], tool_box: ["W"], fit: ["Ctrl+F", "F"],
      outline_only: ["Shift+O"], hide_masks: ["Ctrl+H", "V"], delete: ["Delete", "Backspace"],
      hatching: [], export: ["Ctrl+S"], rename: ["F2", "Ctrl+L"],
    },
  },
};

/**
 * Keys by command: the preset's, with the user's own on top.
 *
 * @param {PresetName} preset
 * @param {Bindings} own
 * @returns {Bindings}
 */
export function bindingsOf(preset, own) {
  const rows = COMMANDS.map(({ id, keys }) => [id, own[id] ?? PRESETS[preset].keys[id] ?? keys]);
  return Object.fromEntries(rows);
}

/**
 * What a key press is called: "Ctrl+Shift+Z", "[", "ArrowLeft". Command on a Mac counts as Ctrl.
 *
 * @param {KeyboardEvent} event
 * @returns {string | null}  null: only a modifier, or a character being composed.
 */
export function keyName(event) {
  if (event.isComposing || ["Control", "Shift", "Alt", "Meta", "AltGraph", "Dead"].includes(event.key)) return null;
  let key = event.key === " " ? "Space" : event.key;
  // on a keyboard of another script, the letter that is printed at this place of a Latin one
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (key.length === 1 && key > "\u024f" && letter) key = letter;
  if (key.length === 1) key = key.toUpperCase();
  const third = event.getModifierState("AltGraph"); // "[" is AltGr+8 on many keyboards
  const ctrl = (event.ctrlKey || event.metaKey) && !third;
  const shift = event.shiftKey && (key.length > 1 || key.toLowerCase() !== key);
  return `${ctrl ? "Ctrl+" : ""}${event.altKey && !third ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/**
 * What uses a key already.
 *
 * @param {string} key
 * @param {Bindings} bindings
 * @param {{id: number, name: string, key: string | null}[]} labels
 * @param {{command?: string, label?: number | null}} asking  who asks, and does not count
 * @returns {{command?: string, label?: number, title: string} | null}
 */
export function conflictOf(key, bindings, labels, asking) {
  for (const { id, title } of COMMANDS) {
    if (id !== asking.command && bindings[id]?.includes(key)) return { command: id, title };
  }
  for (const { id, name, key: own } of labels) {
    if (own?.toUpperCase() === key && id !== asking.label) return { label: id, title: `label ${name}` };
  }
  return null;
}

const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);
/** @type {Record<string, string>} */
const SHOWN = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Delete: "Del",
};

/**
 * A key as people read it.
 *
 * @param {string} key
 * @returns {string}
 */
export function shownKey(key) {
  const plus = key.endsWith("+") && key.length > 1 ? [...key.slice(0, -2).split("+"), "+"] : key.split("+");
  const parts = key === "+" ? ["+"] : plus;
  return parts.map((part) => (part === "Ctrl" && MAC ? "⌘" : SHOWN[part] ?? part)).join(" ");
}
