/** The second bar: tools, sign, how parts join, brush size; and how the picture is shown. */

/** @import { AppState, Tool } from "./state.js" */
/** @import { Operation } from "./types.js" */
/** @import { Settings } from "./settings.js" */
import { shownKey } from "./bindings.js";
import { byId, changeIcon, element, icon, iconButton, nameControl, setAttribute } from "./elements.js";
import { Segments } from "./segments.js";

const MAX_RADIUS_PX = 400;
export const MIN_RADIUS_PX = 1;

/**
 * @param {AppState} state
 * @param {Settings} settings
 * @param {Record<string, () => void>} commands
 */
export function buildToolbar(state, settings, commands) {
  const bar = byId("toolbar", HTMLElement);
  bar.append(...toolControls(state, settings), element("div", { class: "toolbar-gap" }));
  bar.append(...viewControls(state, settings, commands));
}

/**
 * The next size up or down: steps of an eighth, at least one pixel.
 *
 * @param {number} radius
 * @param {1 | -1} direction
 */
export function nextRadius(radius, direction) {
  const step = Math.max(1, Math.round(radius / 8));
  return Math.max(MIN_RADIUS_PX, Math.min(MAX_RADIUS_PX, Math.round(radius) + direction * step));
}

/**
 * @param {AppState} state
 * @param {Settings} settings
 */
function toolControls(state, settings) {
  const tools = new Segments("Tool", [
    { value: "click", name: "Click on a thing", icon: "click" },
    { value: "box", name: "Box around a thing", icon: "box" },
    { value: "scribble", name: "Scribble over a thing", icon: "scribble" },
    { value: "brush", name: "Brush", icon: "brush" },
    { value: "eraser", name: "Eraser", icon: "eraser" },
    { value: "pan", name: "Move the picture", icon: "pan" },
  ], (tool) => state.set({ tool: /** @type {Tool} */ (tool) }));
  const sign = new Segments("Sign of a click", [
    { value: "positive", name: "Object: clicks add", icon: "plus", className: "sign-positive" },
    { value: "negative", name: "Background: clicks take away", icon: "minus", className: "sign-negative" },
  ], (value) => state.set({ positive: value === "positive" }));
  const modes = new Segments("Next click", [
    { value: "new", name: "Refine, or start a new object", icon: "mode-new", className: "mode" },
    { value: "add", name: "Add another part", icon: "mode-add", className: "mode" },
    { value: "subtract", name: "Subtract a part", icon: "mode-subtract", className: "mode" },
    { value: "intersect", name: "Keep the common part", icon: "mode-intersect", className: "mode" },
  ], (mode) => state.set({ mode: /** @type {Operation} */ (mode) }));
  state.on(["tool"], ({ tool }) => (tools.value = tool));
  state.on(["positive"], ({ positive }) => (sign.value = positive ? "positive" : "negative"));
  state.on(["mode"], ({ mode }) => (modes.value = mode));
  state.on(["active"], ({ active }) => (modes.disabled = active === null));
  showKeys(settings, (keys) => {
    for (const tool of ["click", "box", "scribble", "brush", "eraser", "pan"]) tools.setKeys(tool, keys(`tool_${tool}`));
    for (const mode of ["add", "subtract", "intersect"]) modes.setKeys(mode, keys(`mode_${mode}`));
    for (const value of ["positive", "negative"]) sign.setKeys(value, keys("swap_sign"));
  });
  const size = brushSize(state);
  state.on(["tool"], ({ tool }) => {
    const paints = tool === "brush" || tool === "eraser";
    size.hidden = !paints;
    sign.root.hidden = tool !== "click" && tool !== "scribble";
    modes.root.hidden = paints || tool === "pan";
  });
  return [tools.root, sign.root, modes.root, size];
}

/** @param {AppState} state */
function brushSize(state) {
  const input = element("input", {
    type: "range", min: 0, max: 100, step: 1, "aria-label": "Brush radius in pixels of the image",
  });
  const shown = element("output", {});
  // a slider in equal ratios: one pixel more matters at 3 px and not at 300
  const ratio = MAX_RADIUS_PX / MIN_RADIUS_PX;
  input.addEventListener("input", () => {
    state.set({ brushRadius: Math.round(MIN_RADIUS_PX * ratio ** (Number(input.value) / 100)) });
  });
  state.on(["brushRadius"], ({ brushRadius }) => {
    const text = `${Math.round(brushRadius)} px`;
    if (document.activeElement !== input) input.value = String((100 * Math.log(brushRadius / MIN_RADIUS_PX)) / Math.log(ratio));
    setAttribute(input, "aria-valuetext", text);
    shown.value = text;
  });
  return element("div", { class: "slider", title: "Brush size: [ and ]" }, icon("brush"), input, shown);
}

/**
 * @param {AppState} state
 * @param {Settings} settings
 * @param {Record<string, () => void>} commands
 */
function viewControls(state, settings, commands) {
  const run = (/** @type {string} */ name) => () => commands[name]?.();
  const masks = iconButton("eye", "Hide masks", run("hide_masks"));
  const outline = iconButton("outline", "Outlines only", run("outline_only"));
  const hatching = iconButton("hatching", "Hatching", run("hatching"));
  const hints = iconButton("target", "Suggested click", run("hints"));
  state.on(["view"], ({ view }) => {
    setAttribute(masks, "aria-pressed", String(view.hideMasks));
    changeIcon(masks, view.hideMasks ? "eye-off" : "eye");
    setAttribute(outline, "aria-pressed", String(view.outlineOnly));
    setAttribute(hatching, "aria-pressed", String(view.hatching));
    setAttribute(hints, "aria-pressed", String(view.hints));
  });
  const out = iconButton("zoom-out", "Zoom out", run("zoom_out"));
  const into = iconButton("zoom-in", "Zoom in", run("zoom_in"));
  const fit = iconButton("fit", "Fit the picture", run("fit"));
  const actual = element("button", { type: "button", class: "zoom-text" }, "100%");
  actual.addEventListener("click", run("actual_size"));
  state.on(["zoom"], ({ zoom }) => {
    actual.textContent = `${Math.round(zoom * 100)}%`;
    nameControl(actual, `Zoom ${Math.round(zoom * 100)} per cent: show every pixel`);
  });
  showKeys(settings, (keys) => {
    nameControl(masks, "Hide masks", keys("hide_masks"));
    nameControl(outline, "Outlines only", keys("outline_only"));
    nameControl(hatching, "Hatching", keys("hatching"));
    nameControl(hints, "Suggested click", keys("hints"));
    nameControl(out, "Zoom out", keys("zoom_out"));
    nameControl(into, "Zoom in", keys("zoom_in"));
    nameControl(fit, "Fit the picture", keys("fit"));
  });
  fit.classList.add("not-narrow");
  for (const control of [outline, hatching, hints, out, actual, into]) control.classList.add("wide-only");
  return [
    element("div", { class: "group" }, masks, outline, hatching, hints),
    opacitySlider(state),
    element("div", { class: "group" }, out, actual, into, fit),
  ];
}

/** @param {AppState} state */
export function opacitySlider(state) {
  const input = element("input", { type: "range", min: 0, max: 100, step: 5, "aria-label": "Opacity of the masks" });
  input.addEventListener("input", () => state.setView({ opacity: Number(input.value) / 100 }));
  state.on(["view"], ({ view }) => {
    if (document.activeElement !== input) input.value = String(Math.round(view.opacity * 100));
    setAttribute(input, "aria-valuetext", `${Math.round(view.opacity * 100)} per cent`);
  });
  return element("div", { class: "slider not-narrow", title: "Opacity of the masks" }, icon("opacity"), input);
}

/**
 * Call with a function that tells a command's keys, now and when they change.
 *
 * @param {Settings} settings
 * @param {(keys: (command: string) => string) => void} show
 */
export function showKeys(settings, show) {
  const tell = () => show(keysOf(settings));
  tell();
  settings.addEventListener("change", tell);
}

/**
 * A function that tells a command's keys, as people read them.
 *
 * @param {Settings} settings
 * @returns {(command: string) => string}
 */
export function keysOf(settings) {
  const { bindings } = settings;
  return (command) => (bindings[command] ?? []).map(shownKey).join(" or ");
}
