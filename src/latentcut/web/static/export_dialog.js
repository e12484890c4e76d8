/** Annotations out, as files. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
import { checkLine, choiceCards, Dialog, reportBox } from "./dialogs.js";
import { element, icon, textButton } from "./elements.js";

/** @type {readonly (readonly [T.ExportFormat, string, string])[]} */
const FORMATS = [
  ["coco", "COCO", "one JSON file, masks as RLE: nothing is lost"],
  ["yolo", "YOLO", "a text file of polygons per image"],
  ["voc", "Pascal VOC", "palette PNGs of classes and of objects"],
  ["labelme", "labelme", "a JSON file of polygons per image"],
  ["png", "PNG masks", "a black and white picture per object"],
  ["cutouts", "Cut-outs", "each object on a transparent ground"],
];

export class ExportDialog {
  /** @type {T.ExportFormat} */
  #format = "coco";

  /**
   * @param {Api} api
   * @param {AppState} state
   */
  constructor(api, state) {
    this.api = api;
    this.state = state;
    this.dialog = new Dialog("Export");
    this.onlyDone = checkLine("Only images marked done");
    this.result = element("div", { class: "result" });
    this.start = textButton("Export", () => void this.#export(), "button primary");
    this.dialog.body.append(
      choiceCards("Format", FORMATS, this.#format, (format) => {
        this.#format = /** @type {T.ExportFormat} */ (format);
        this.result.replaceChildren();
      }),
      this.onlyDone.root, this.result);
    this.dialog.foot.append(element("span", { class: "toolbar-gap" }),
      textButton("Close", () => this.dialog.close()), this.start);
  }

  open() {
    this.result.replaceChildren();
    this.#note();
    this.dialog.open();
  }

  /** What is under way is not in the files yet. */
  #note() {
    const { unsaved, images } = this.state.now;
    const done = images.filter((image) => image.status === "done").length;
    const words = this.onlyDone.root.querySelector("span");
    if (words) words.textContent = `Only images marked done (${done.toLocaleString("en")} of ${images.length.toLocaleString("en")})`;
    if (unsaved > 0) this.result.append(reportBox("Some steps are not saved yet; they will be missing.", [], "bad"));
  }

  async #export() {
    const format = this.#format;
    this.start.disabled = true;
    this.result.replaceChildren(element("p", { class: "waiting", role: "status" },
      element("span", { class: "spinner", "aria-hidden": "true" }), "Writing the files"));
    try {
      this.#show(format, await this.api.exportAs(format, this.onlyDone.input.checked));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.result.replaceChildren(reportBox("Nothing was written.", [why], "bad"));
    }
    this.start.disabled = false;
  }

  /**
   * @param {T.ExportFormat} format
   * @param {T.ExportAnswer} answer
   */
  #show(format, { folder, files, report, num_objects: objects, num_images: images }) {
    const title = `${count(objects, "object")} of ${count(images, "image")} in ${count(files.length, "file")}`;
    const download = element("a", { class: "button", href: this.api.zipUrl(format), download: `${format}.zip` },
      icon("download"), "Download as ZIP");
    this.result.replaceChildren(
      reportBox(title, report, "good"),
      element("div", { class: "result-place" },
        element("p", {}, "In the folder of the images: ", element("code", {}, folder)), download));
    download.focus();
  }
}

/** @param {number} number @param {string} noun */
function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
