/** Puts the page together: who knows whom, and what is told to whom. */

/** @import { Listener, ImageWork } from "./work.js" */
/** @import { Click, Box } from "./types.js" */
/** @import { Point, StageEvents, StrokeEvent } from "./stage_types.js" */
import { Announcer } from "./announcer.js";
import { Api } from "./api.js";
import { shownKey } from "./bindings.js";
import { CandidateSource } from "./candidate_source.js";
import { CandidateStrip } from "./candidates.js";
import { makeCommands } from "./commands.js";
import { connectDrawers } from "./drawers.js";
import { Editor } from "./editor.js";
import { byId } from "./elements.js";
import { ExportDialog } from "./export_dialog.js";
import { FilmStrip } from "./filmstrip.js";
import { connectFocus } from "./focus.js";
import { Gallery } from "./gallery.js";
import { HelpDialog } from "./help.js";
import { HoverPreview } from "./hover_preview.js";
import { ImportDialog } from "./import_dialog.js";
import { Keyboard } from "./keyboard.js";
import { LabelBook } from "./label_book.js";
import { LabelDialog } from "./label_dialog.js";
import { LabelList } from "./labels.js";
import { MaskLibrary } from "./mask_library.js";
import { ObjectList } from "./objects.js";
import { connectPicking } from "./picking.js";
import { openProject } from "./project.js";
import { connectScene } from "./scene.js";
import { ThingSearch } from "./search.js";
import { connectSearchBar } from "./search_bar.js";
import { Settings } from "./settings.js";
import { SettingsDialog } from "./settings_dialog.js";
import { Stage } from "./stage.js";
import { connectStageMessages } from "./stage_messages.js";
import { AppState, ObjectRef } from "./state.js";
import { connectStatus, TroubleBoard } from "./status.js";
import { pollStatus } from "./status_poll.js";
import { buildToolbar, showKeys } from "./toolbar.js";
import { connectTopbar, kindWord } from "./topbar.js";

const BUSY_AFTER_MS = 100; // "working" is said within a tenth of a second, and not for less

const stageElement = byId("stage", HTMLElement);
const api = new Api();
const state = new AppState();
const board = new TroubleBoard(state);
const announcer = new Announcer(byId("announcer", HTMLElement), byId("notes", HTMLElement));
const stage = new Stage(stageElement);
const masks = new MaskLibrary(api, () => showWork(gallery.work));
const gallery = new Gallery({ api, state, stage, masks, listener: makeListener(), board });
const editor = new Editor(state, gallery, announcer);
const settings = new Settings(api, state);
const labelBook = new LabelBook(api, state, announcer, board, countUnsaved);
const hover = new HoverPreview(api, state, gallery);
const search = new ThingSearch({ api, state, editor, announcer, board });
const commands = makeCommands({ state, editor, gallery, stage, announcer, search });

connect();
void openProject(api, state, settings, gallery, board).then(() => pollStatus(api, state, (trouble) => board.tell("poll", trouble)));

function connect() {
  const help = new HelpDialog(state, settings);
  const dialogs = {
    help, settings: new SettingsDialog(api, state, settings, help), export: new ExportDialog(api, state),
    import: new ImportDialog(api, state, () => void afterImport()),
  };
  for (const [name, dialog] of Object.entries(dialogs)) commands[name] = () => dialog.open();
  const objects = new ObjectList(state, editor, settings);
  commands.rename = () => {
    if (state.now.active?.id) objects.rename(state.now.active.id);
  };
  const keyboard = new Keyboard({ state, settings, editor, stage, stageElement, commands });
  commands.click_cursor = () => keyboard.toggleCursor();
  new LabelList(state, editor, new LabelDialog(state, labelBook, settings));
  new FilmStrip(api, state, gallery);
  new CandidateSource(api, state, announcer);
  new CandidateStrip(state, editor, stage, settings);
  connectTopbar(state, settings, commands);
  buildToolbar(state, settings, commands);
  connectScene(state, stage, masks);
  connectStatus(state);
  connectSearchBar(state, settings, search);
  connectStageMessages(state, () => void reopen(), () => gallery.step(1));
  connectDrawers();
  connectFocus(stageElement);
  connectPicking(stageElement, stage, state, masks, editor);
  connectStage();
  showKeys(settings, (keys) => {
    byId("stage-help", HTMLElement).textContent =
      `${keys("click_cursor")} shows a click cursor that arrow keys move; Enter clicks. ` +
      `${keys("next_candidate")} goes through the candidates; ${keys("drop")} lets go. ${keys("help")} lists all keys.`;
  });
}

function connectStage() {
  /** @param {string} name @param {(detail: any) => void} listener */
  const on = (name, listener) =>
    stage.addEventListener(name, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  on("click", (/** @type {Click} */ click) => editor.click(click));
  on("box", (/** @type {{box: Box}} */ { box }) => editor.box(box));
  on("stroke", (/** @type {StrokeEvent} */ stroke) => editor.stroke(stroke));
  on("scribble", (/** @type {StageEvents["scribble"]} */ scribble) => editor.scribble(scribble));
  on("hover", (/** @type {Point | null} */ point) => void hover.rest(point));
  on("brushsize", (/** @type {{radius: number}} */ { radius }) => state.set({ brushRadius: radius }));
  on("view", (/** @type {{scale: number}} */ { scale }) => state.set({ zoom: scale }));
  on("cursor", (/** @type {Point | null} */ at) => state.set({ cursorOn: at !== null }));
}

/** @returns {Listener} */
function makeListener() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let busyTimer;
  return {
    changed(work) {
      countUnsaved();
      if (work !== gallery.work) return;
      showWork(work);
      clearTimeout(busyTimer);
      if (work.inFlight) busyTimer = setTimeout(() => state.set({ busy: gallery.work?.inFlight ?? false }), BUSY_AFTER_MS);
      else state.set({ busy: false });
    },
    saved(work, step, { document }) {
      masks.add(document.masks);
      const { status, revision, objects, width, height } = document;
      state.setImage(document.id, { status, revision, num_objects: objects.length, width, height });
      state.set({ everSaved: true });
      if (work === gallery.work && step.travel) afterTravel(work, step.travel);
      if (work === gallery.work && step.action?.kind === "found") search.added(step.action.things.length);
    },
    refused(work, step, why) {
      announcer.hint(`Not done: ${why}`);
      if (work === gallery.work && step.action?.kind === "found") search.refused();
      if (work === gallery.work && step.ref && step.ref.id === null && step.ref === state.now.active) editor.deselect();
    },
    conflict(_, resent) {
      announcer.hint(`This image was changed in another tab. ${resent ? "Your step was added to it." : "It is shown as it is now; your last step was left out."}`);
    },
    trouble(work, trouble) {
      board.tell(work, trouble);
    },
  };
}

/** Show a document as it will be, if it is that of the image in sight. @param {ImageWork | null} work */
function showWork(work) {
  if (!work || work.document.id !== state.now.imageId) return;
  masks.add(work.document.masks);
  const document = work.expected;
  const { active } = state.now;
  const gone = active && active.id !== null && !document.objects.some((object) => object.id === active.id);
  if (gone) editor.deselect();
  state.set({ document: { ...document } });
  editor.refreshPending();
}

/** An undo or redo shows what it is about. @param {ImageWork} work @param {"undo" | "redo"} direction */
function afterTravel(work, direction) {
  const before = new Map((state.now.document?.objects ?? []).map((object) => [object.id, object]));
  const touched = work.document.objects.filter((object) => {
    const known = before.get(object.id);
    return !known || known.mask !== object.mask || known.parts.length !== object.parts.length;
  });
  const [only] = touched;
  if (only && touched.length === 1) state.set({ active: new ObjectRef(only.id), mode: "new" });
  const kind = kindWord(direction === "undo" ? work.document.can_redo : work.document.can_undo);
  announcer.say(`${direction === "undo" ? "Undone" : "Redone"}: ${kind}`);
}

function countUnsaved() {
  const steps = gallery.unsaved.reduce((sum, work) => sum + work.steps.length, 0);
  state.set({ unsaved: steps + labelBook.unsaved });
}

async function reopen() {
  if (state.now.imageId !== null) await gallery.open(state.now.imageId);
}

async function afterImport() {
  try {
    const project = await api.project();
    state.set({ images: project.images, labels: project.labels });
    await gallery.refresh();
  } catch {
    announcer.hint("Imported; load the page again to see it."); // the server went away meanwhile
  }
}
