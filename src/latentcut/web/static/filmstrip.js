/** The images of the project at the left. Only the rows in sight exist, so 10,000 scroll well. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Gallery } from "./gallery.js" */
import { byId, changeIcon, element, icon, setAttribute } from "./elements.js";
import { ThumbnailLoader } from "./thumbnail_loader.js";

const ROW_PX = 68;
const SPARE_ROWS = 4; // beyond each edge, so that a scroll shows no gap

/** @type {Record<string, {icon: string, words: string}>} */
const MARKS = {
  untouched: { icon: "status-none", words: "not begun" },
  in_work: { icon: "status-work", words: "in work" },
  done: { icon: "status-done", words: "done" },
  missing: { icon: "warning", words: "file is missing" },
  broken: { icon: "warning", words: "cannot be opened" },
};

export class FilmStrip {
  #list = byId("film-strip", HTMLElement);
  #spacer = element("div", { class: "strip-spacer", role: "presentation" });
  #search = byId("strip-search", HTMLInputElement);
  #status = byId("strip-status", HTMLSelectElement);
  #empty = byId("strip-empty", HTMLElement);
  /** Rows in sight, by image id. @type {Map<number, HTMLElement>} */
  #rows = new Map();
  /** Images that the filter lets through. @type {T.ImageRow[]} */
  #shown = [];

  /**
   * @param {Api} api
   * @param {AppState} state
   * @param {Gallery} gallery
   */
  constructor(api, state, gallery) {
    this.state = state;
    this.gallery = gallery;
    this.thumbnails = new ThumbnailLoader((id) => api.thumbnailUrl(id));
    this.#list.append(this.#spacer);
    this.#list.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#search.addEventListener("input", () => this.#filter());
    this.#status.addEventListener("change", () => this.#filter());
    new ResizeObserver(() => this.#draw()).observe(this.#list);
    state.on(["images"], () => this.#filter());
    state.on(["imageId"], () => this.#reveal());
    state.on(["encoded"], () => this.#draw());
  }

  #filter() {
    const { images } = this.state.now;
    const wanted = this.#search.value.trim().toLowerCase();
    const status = this.#status.value;
    this.#shown = images.filter((image) => {
      const fits = status === "all" || (status === "done") === (image.status === "done");
      return fits && (wanted === "" || image.path.toLowerCase().includes(wanted));
    });
    this.#spacer.style.setProperty("--strip-height", `${this.#shown.length * ROW_PX}px`);
    this.#empty.hidden = this.#shown.length > 0;
    this.#empty.textContent = images.length ? "No image fits the filter." : "No images in this folder.";
    this.#summary(images);
    this.#draw();
  }

  /** @param {T.ImageRow[]} images */
  #summary(images) {
    const done = images.filter((image) => image.status === "done").length;
    const begun = images.filter((image) => image.status === "in_work").length;
    const share = images.length ? (100 * done) / images.length : 0;
    const meter = byId("progress-meter", HTMLElement);
    meter.setAttribute("aria-valuenow", String(Math.round(share)));
    meter.style.setProperty("--share", `${share}%`);
    const words = `${done.toLocaleString("en")} done, ${begun.toLocaleString("en")} in work`;
    byId("progress-text", HTMLElement).textContent = words;
    byId("images-count", HTMLElement).textContent = images.length.toLocaleString("en");
  }

  #draw() {
    const { scrollTop, clientHeight } = this.#list;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / ROW_PX) + SPARE_ROWS);
    const kept = new Set();
    for (let place = first; place < last; place += 1) {
      const image = /** @type {T.ImageRow} */ (this.#shown[place]);
      kept.add(image.id);
      const row = this.#rows.get(image.id) ?? this.#make(image);
      row.style.setProperty("--row-y", `${place * ROW_PX}px`);
      this.#show(row, image, place);
    }
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
      this.thumbnails.forget(id);
    }
    const current = this.#rows.get(this.state.now.imageId ?? -1);
    setAttribute(this.#list, "aria-activedescendant", current?.id);
  }

  /** @param {T.ImageRow} image */
  #make(image) {
    const mark = icon("status-none");
    mark.setAttribute("class", "strip-mark");
    const row = element("div", { class: "strip-row", role: "option", id: `image-${image.id}` },
      element("span", { class: "strip-thumb" }, icon("images")),
      element("span", { class: "strip-text" },
        element("span", { class: "strip-name", dir: "auto" }),
        element("span", { class: "strip-note" }),
        element("span", { class: "strip-words visually-hidden" })),
      mark);
    row.addEventListener("click", () => void this.gallery.open(image.id));
    this.#list.append(row);
    this.#rows.set(image.id, row);
    const holder = /** @type {HTMLElement} */ (row.querySelector(".strip-thumb"));
    if (!image.missing && !image.problem) this.thumbnails.want(image.id, holder);
    return row;
  }

  /**
   * @param {HTMLElement} row
   * @param {T.ImageRow} image
   * @param {number} place
   */
  #show(row, image, place) {
    const status = image.missing ? "missing" : image.problem ? "broken" : image.status;
    const mark = /** @type {{icon: string, words: string}} */ (MARKS[status]);
    const objects = image.num_objects === 1 ? "1 object" : `${image.num_objects} objects`;
    const counts = image.num_objects > 0 && !image.missing && !image.problem;
    setText(row, ".strip-name", image.name);
    setText(row, ".strip-note", counts ? objects : mark.words);
    setText(row, ".strip-words", counts ? mark.words : "");
    row.title = image.problem ? `${image.path}\n${image.problem}` : image.path;
    row.setAttribute("aria-selected", String(image.id === this.state.now.imageId));
    row.setAttribute("aria-posinset", String(place + 1));
    row.setAttribute("aria-setsize", String(this.#shown.length));
    const svg = /** @type {SVGElement} */ (row.querySelector(".strip-mark"));
    if (svg.dataset.status !== status) changeIcon(svg, mark.icon);
    svg.dataset.status = status;
  }

  #reveal() {
    const place = this.#shown.findIndex((image) => image.id === this.state.now.imageId);
    if (place >= 0) {
      const { scrollTop, clientHeight } = this.#list;
      const top = place * ROW_PX;
      if (top < scrollTop) this.#list.scrollTop = top - ROW_PX;
      else if (top + ROW_PX > scrollTop + clientHeight) this.#list.scrollTop = top + 2 * ROW_PX - clientHeight;
    }
    this.#draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const page = Math.max(1, Math.floor(this.#list.clientHeight / ROW_PX) - 1);
    /** @type {Record<string, number>} */
    const moves = {
      ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page,
      Home: -this.#shown.length, End: this.#shown.length,
    };
    const move = moves[event.key];
    if (move === undefined || this.#shown.length === 0) return;
    event.preventDefault();
    const at = this.#shown.findIndex((image) => image.id === this.state.now.imageId);
    const next = this.#shown[Math.max(0, Math.min(this.#shown.length - 1, at + move))];
    if (next && next.id !== this.state.now.imageId) void this.gallery.open(next.id);
  }
}

/** @param {Element} row @param {string} selector @param {string} text */
function setText(row, selector, text) {
  const target = row.querySelector(selector);
  if (target && target.textContent !== text) target.textContent = text;
}
