/** The first bar: project, image, undo and redo, done. */

/** @import { AppState } from "./state.js" */
/** @import { Settings } from "./settings.js" */
import { byId, nameControl, setAttribute } from "./elements.js";
import { openMenu } from "./menu.js";
import { keysOf, showKeys } from "./toolbar.js";

/** What undo and redo are about, by the kind of the action. @type {Record<string, string>} */
const KINDS = {
  click: "click", box: "box", choose: "candidate", stroke: "stroke", label: "label", rename: "name",
  delete: "deletion", reorder: "order", split: "split", done: "done mark", import: "import",
  found: "found things",
};

/** @param {string | null} kind */
export function kindWord(kind) {
  return kind === null ? "" : KINDS[kind] ?? kind;
}

/**
 * @param {AppState} state
 * @param {Settings} settings
 * @param {Record<string, () => void>} commands
 */
export function connectTopbar(state, settings, commands) {
  const run = (/** @type {string} */ id, /** @type {string} */ command) => {
    const button = byId(id, HTMLButtonElement);
    button.addEventListener("click", () => commands[command]?.());
    return button;
  };
  const previous = run("previous-image", "previous_image");
  const next = run("next-image", "next_image");
  const undo = run("undo-button", "undo");
  const redo = run("redo-button", "redo");
  const done = run("done-button", "toggle_done");
  const help = run("help-button", "help");
  const fresh = run("new-object", "new_object");
  run("export-button", "export");
  run("import-button", "import");
  run("settings-button", "settings");
  connectMore(commands);
  state.on(["project", "imageId", "images"], () => showPlace(state, previous, next));
  state.on(["document"], ({ document: image }) => {
    done.disabled = image === null;
    setAttribute(done, "aria-pressed", String(image?.done ?? false));
  });
  const titles = () => {
    const keys = keysOf(settings);
    const { document: image, unsaved } = state.now;
    const undoes = kindWord(image?.can_undo ?? null) || (unsaved ? "click" : "");
    undo.disabled = undoes === "";
    redo.disabled = !image?.can_redo;
    nameControl(undo, `Undo ${undoes}`.trim(), keys("undo"));
    nameControl(redo, `Redo ${kindWord(image?.can_redo ?? null)}`.trim(), keys("redo").split(" or ")[0]);
  };
  state.on(["document", "unsaved"], titles);
  settings.addEventListener("change", titles);
  showKeys(settings, (keys) => {
    nameControl(previous, "Image before", keys("previous_image"));
    nameControl(next, "Next image", keys("next_image"));
    nameControl(help, "Keys and help", keys("help"));
    nameControl(fresh, "New object", keys("new_object"));
    done.title = `Mark this image done; ${keys("finish_image")} also goes to the next`;
  });
}

/**
 * In a narrow window, one button for what has no room.
 *
 * @param {Record<string, () => void>} commands
 */
function connectMore(commands) {
  const more = byId("more-button", HTMLButtonElement);
  const rows = [["Export", "export"], ["Import", "import"], ["Settings", "settings"], ["Keys and help", "help"]];
  more.addEventListener("click", () => openMenu(more, "More", rows.map(([text = "", name = ""]) => ({
    text, icon: name, run: () => commands[name]?.(),
  }))));
}

/**
 * @param {AppState} state
 * @param {HTMLButtonElement} previous
 * @param {HTMLButtonElement} next
 */
function showPlace(state, previous, next) {
  const { project, images, imageId } = state.now;
  const title = byId("project-name", HTMLElement);
  title.textContent = project?.name ?? "latentcut";
  title.title = project ? `${project.name}\nlatentcut ${project.version}` : "";
  const at = images.findIndex((image) => image.id === imageId);
  const image = images[at];
  const name = byId("image-name", HTMLElement);
  name.textContent = image?.name ?? "";
  name.title = image?.path ?? "";
  byId("image-place", HTMLElement).textContent =
    image ? `${(at + 1).toLocaleString("en")} / ${images.length.toLocaleString("en")}` : "";
  previous.disabled = at <= 0;
  next.disabled = at < 0 || at === images.length - 1;
  document.title = image ? `${image.name} – ${project?.name ?? "latentcut"}` : project?.name ?? "latentcut";
}
