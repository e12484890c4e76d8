/** Annotations in, from files of other programs. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
import { choiceCards, Dialog, reportBox } from "./dialogs.js";
import { element, textButton } from "./elements.js";

/** @type {readonly (readonly [T.ImportFormat, string, string])[]} */
const FORMATS = [
  ["coco", "COCO", "a JSON file of many images, matched by file name"],
  ["labelme", "labelme", "a JSON file of one image"],
  ["png", "PNG mask", "for the image shown; every colour becomes an object"],
];

export class ImportDialog {
  /** @type {T.ImportFormat} */
  #format = "coco";

  /**
   * @param {Api} api
   * @param {AppState} state
   * @param {(answer: T.ImportAnswer) => void} onImported
   */
  constructor(api, state, onImported) {
    this.api = api;
    this.state = state;
    this.onImported = onImported;
    this.dialog = new Dialog("Import");
    this.file = element("input", { type: "file", class: "file-field", "aria-label": "File" });
    this.result = element("div", { class: "result" });
    this.start = textButton("Import", () => void this.#import(), "button primary");
    this.file.addEventListener("change", () => this.#ready());
    this.area = element("div", { class: "drop-area" },
      element("p", { class: "quiet" }, "Choose a file, or drop one here."), this.file);
    this.#takeDrops();
    this.dialog.body.append(
      choiceCards("Format", FORMATS, this.#format, (format) => {
        this.#format = /** @type {T.ImportFormat} */ (format);
        this.#ready();
      }),
      this.area,
      element("p", { class: "quiet" }, "Imported objects are added. Each image gets one step that undo takes back."),
      this.result);
    this.dialog.foot.append(element("span", { class: "toolbar-gap" }),
      textButton("Close", () => this.dialog.close()), this.start);
  }

  open() {
    this.file.value = "";
    this.#ready();
    this.dialog.open();
  }

  /** A file that is dropped anywhere is meant for here; the browser would leave the page for it. */
  #takeDrops() {
    const isFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragover", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      this.area.classList.add("over");
    });
    document.addEventListener("dragleave", () => this.area.classList.remove("over"));
    document.addEventListener("drop", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      this.area.classList.remove("over");
      if (!this.dialog.isOpen) this.open();
      if (event.dataTransfer) this.file.files = event.dataTransfer.files;
      this.#ready();
    });
  }

  #ready() {
    this.file.accept = this.#format === "png" ? "image/png,.png" : "application/json,.json";
    this.start.disabled = !this.file.files?.length;
    this.result.replaceChildren();
  }

  async #import() {
    const file = this.file.files?.[0];
    if (!file) return;
    this.start.disabled = true;
    this.result.replaceChildren(element("p", { class: "waiting", role: "status" },
      element("span", { class: "spinner", "aria-hidden": "true" }), "Reading the file"));
    try {
      const image = this.#format === "png" ? this.state.now.imageId : null;
      const answer = await this.api.importFile(this.#format, file, image);
      const touched = answer.images.length;
      const title = `${touched === 1 ? "1 image" : `${touched} images`} changed`;
      this.result.replaceChildren(reportBox(title, answer.report, "good"));
      this.onImported(answer);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.result.replaceChildren(reportBox("Nothing was imported.", [why], "bad"));
    }
    this.start.disabled = false;
  }
}
