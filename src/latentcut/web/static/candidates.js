/** The candidate strip: what a click may have meant, as six previews with their keys. */

/** @import * as T from "./types.js" */
/** @import { AppState, CandidateSet } from "./state.js" */
/** @import { Editor } from "./editor.js" */
/** @import { Settings } from "./settings.js" */
/** @import { Stage } from "./stage.js" */
import { differenceHint, qualityWord } from "./candidate_hints.js";
import { byId, element, icon } from "./elements.js";
import { drawThumbnail } from "./masks.js";
import { previewView } from "./preview_view.js";
import { colourOf } from "./state.js";
import { showKeys } from "./toolbar.js";

const LIKELY_SCORE = 0.7;

export class CandidateStrip {
  #list = byId("candidate-list", HTMLElement);
  #empty = byId("candidates-empty", HTMLElement);
  #sign = byId("candidates-sign", HTMLElement);
  #accept = byId("accept-button", HTMLButtonElement);
  #deselect = byId("deselect-button", HTMLButtonElement);
  /** @type {CandidateSet | null} */
  #drawn = null;
  #colour = 0;

  /**
   * @param {AppState} state
   * @param {Editor} editor
   * @param {Stage} stage
   * @param {Settings} settings
   */
  constructor(state, editor, stage, settings) {
    this.state = state;
    this.editor = editor;
    this.stage = stage;
    this.#accept.addEventListener("click", () => editor.accept());
    this.#deselect.addEventListener("click", () => editor.deselect());
    showKeys(settings, (keys) => {
      labelButton(this.#accept, "Accept", keys("accept").split(" or ")[0] ?? "");
      labelButton(this.#deselect, "Deselect", keys("drop").split(" or ")[0] ?? "");
    });
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("pointerleave", () => state.set({ previewed: null }));
    state.on(["candidates", "active", "project"], () => this.#draw());
    state.on(["labels", "document"], () => this.#recolour());
    state.on(["candidates", "choosing", "document", "pendingClicks", "active"], () => this.#mark());
    new ResizeObserver(() => this.#redraw()).observe(this.#list);
  }

  #draw() {
    const { candidates, active } = this.state.now;
    this.#accept.hidden = this.#deselect.hidden = active === null;
    this.#list.hidden = candidates === null;
    this.#empty.hidden = candidates !== null;
    if (!candidates) {
      this.#drawn = null;
      this.#list.replaceChildren();
      this.#list.removeAttribute("role");
      return this.#drawEmpty();
    }
    if (this.#sameMasks(candidates)) return;
    this.#drawn = candidates;
    this.#list.setAttribute("role", "radiogroup");
    this.#list.setAttribute("aria-label", "Candidate masks");
    this.#list.replaceChildren(...candidates.answer.candidates.map((each) => this.#card(each)));
    this.#redraw();
  }

  /** A choice changes which candidate is selected, not what they look like. @param {CandidateSet} next */
  #sameMasks(next) {
    const before = this.#drawn;
    if (!before || before.object !== next.object || before.masks.length !== next.masks.length) return false;
    const same = before.masks.every((mask, at) => mask === next.masks[at]);
    if (same) this.#drawn = next;
    return same;
  }

  #drawEmpty() {
    const { active, project } = this.state.now;
    const object = this.state.activeObject;
    const number = project?.numMasks ?? 6;
    const text = !active
      ? `Click on a thing in the picture: ${number} guesses of what you mean appear here.`
      : object && !object.has_candidates
        ? "This object was painted or imported. A click on it brings candidates."
        : "Looking for candidates";
    const ghosts = element("span", { class: "ghosts", "aria-hidden": "true" });
    for (let count = 0; count < number; count += 1) ghosts.append(element("span", { class: "ghost" }));
    this.#empty.replaceChildren(ghosts, element("span", {}, text));
  }

  /** @param {T.Candidate} candidate */
  #card(candidate) {
    const { index, score, broken_clicks: broken } = candidate;
    const card = element("button", {
      type: "button", class: broken ? "candidate broken" : "candidate", role: "radio", "data-index": index,
    },
      element("canvas", { "aria-hidden": "true" }),
      element("kbd", { class: "candidate-key", "aria-hidden": "true" }, String(index + 1)),
      element("span", { class: "candidate-words" },
        element("span", { class: "candidate-hint" }),
        element("span", { class: "candidate-score" }, percent(score)),
        element("span", { class: "candidate-bar", "aria-hidden": "true" })));
    card.style.setProperty("--score", percent(score));
    const preview = (/** @type {number | null} */ previewed) => () => this.state.set({ previewed });
    card.addEventListener("pointerenter", preview(index));
    card.addEventListener("focus", preview(index));
    card.addEventListener("blur", preview(null));
    card.addEventListener("click", () => this.editor.choose(index));
    return card;
  }

  #redraw() {
    const candidates = this.#drawn;
    const { document: image, labels } = this.state.now;
    const object = this.state.activeObject;
    if (!candidates || !image) return;
    const view = previewView(likelyMasks(candidates), this.#aspect());
    this.#colour = object ? colourOf(object, labels) : 0;
    this.#list.querySelectorAll("canvas").forEach((canvas, at) => {
      const { clientWidth, clientHeight } = canvas;
      if (!clientWidth || !clientHeight) return;
      canvas.width = Math.round(clientWidth * devicePixelRatio);
      canvas.height = Math.round(clientHeight * devicePixelRatio);
      drawThumbnail(canvas, this.stage.picture, candidates.masks[at] ?? null, this.#colour, view);
    });
  }

  /** A label of another colour shows in the previews. */
  #recolour() {
    const object = this.state.activeObject;
    const colour = object ? colourOf(object, this.state.now.labels) : this.#colour;
    if (this.#drawn && colour !== this.#colour) this.#redraw();
  }

  /** Width by height of the previews. */
  #aspect() {
    const canvas = this.#list.querySelector("canvas");
    return canvas?.clientHeight ? canvas.clientWidth / canvas.clientHeight : 1;
  }

  /** Which one is selected, what the others are to it, and whether all this is still up to date. */
  #mark() {
    const { candidates, choosing, document: image, pendingClicks } = this.state.now;
    this.#sign.textContent = "";
    if (!candidates || !image) return;
    const { answer, masks, revision } = candidates;
    const selected = choosing ?? answer.selected;
    const reference = masks[answer.candidates.findIndex((each) => each.index === selected)];
    answer.candidates.forEach((candidate, at) => {
      const card = this.#list.children[at];
      const mask = masks[at];
      if (!(card instanceof HTMLElement) || !mask) return;
      const hint = candidate.broken_clicks ? brokenHint(candidate.broken_clicks) : differenceHint(mask, reference ?? mask);
      describeCard(card, candidate, hint, candidate.index === selected, answer.by_user || choosing !== null);
    });
    const fresh = revision === image.revision && pendingClicks.length === 0 && choosing === null;
    this.#list.classList.toggle("stale", !fresh && choosing === null && pendingClicks.length > 0);
    const good = answer.looks_good && fresh;
    this.#sign.classList.toggle("good", good);
    this.#sign.textContent = fresh ? adviceFor(answer, selected) : "";
    this.#accept.classList.toggle("primary", good);
  }

  /** Arrow keys, Home and End move the focus, and with it the preview; Space and Enter take one. */
  /** @param {KeyboardEvent} event */
  #key(event) {
    const cards = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const at = cards.findIndex((card) => card === document.activeElement);
    /** @type {Record<string, number>} */
    const places = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: -1 };
    const place = places[event.key];
    if (place === undefined || at < 0) return;
    event.preventDefault();
    cards.at(place % cards.length)?.focus();
  }
}

/**
 * @param {HTMLElement} card
 * @param {T.Candidate} candidate
 * @param {string} hint
 * @param {boolean} selected
 * @param {boolean} byUser
 */
function describeCard(card, candidate, hint, selected, byUser) {
  const { index, score, expected_iou: iou, broken_clicks: broken } = candidate;
  const quality = `${qualityWord(iou)}, overlap about ${percent(iou)}`;
  const shown = broken ? hint : selected ? qualityWord(iou) : hint;
  const words = card.querySelector(".candidate-hint");
  if (words) words.textContent = shown;
  card.setAttribute("aria-checked", String(selected));
  card.tabIndex = selected ? 0 : -1;
  card.setAttribute("aria-label", `Candidate ${index + 1}: ${selected ? "selected" : hint}, score ${percent(score)}, ${quality}`);
  card.title = `${hint}\nScore ${percent(score)}: how likely it is the one meant\nExpected: ${quality} with what you mean`;
  card.querySelector(".candidate-by")?.remove();
  if (selected && byUser) {
    const mark = icon("check");
    mark.setAttribute("class", "candidate-by");
    card.append(mark);
  }
}

/**
 * The masks that fill the previews: the likeliest, so that a wild guess does not make them all tiny.
 *
 * @param {CandidateSet} candidates
 */
function likelyMasks({ answer, masks }) {
  const order = answer.candidates.map((each, at) => ({ ...each, at })).sort((a, b) => b.score - a.score);
  let sum = 0;
  const likely = order.filter(({ index, score }) => {
    const counts = sum < LIKELY_SCORE || index === answer.selected;
    sum += score;
    return counts;
  });
  return likely.flatMap(({ at }) => masks[at] ?? []);
}

/**
 * @param {T.CandidatesAnswer} answer
 * @param {number} selected
 */
function adviceFor({ candidates, looks_good: good }, selected) {
  const iou = candidates.find((each) => each.index === selected)?.expected_iou ?? 0;
  const found = `about ${percent(iou)} overlap expected`;
  if (good) return `Looks right, ${found}: Enter accepts`;
  if (iou >= 0.65) return `Looks ${qualityWord(iou)}, ${found}: click where the outline is wrong`;
  return `Not sure yet, ${found}: another click helps`;
}

/** @param {number} count */
function brokenHint(count) {
  return count === 1 ? "misses a click" : `misses ${count} clicks`;
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 100)}%`;
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} text
 * @param {string} key
 */
function labelButton(button, text, key) {
  button.replaceChildren(element("span", {}, text), ...(key ? [element("kbd", { "aria-hidden": "true" }, key)] : []));
}
