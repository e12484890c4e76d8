/** The bar under the picture while things are looked for, and while what was found is looked at. */

/** @import { AppState } from "./state.js" */
/** @import { Settings } from "./settings.js" */
/** @import { ThingSearch } from "./search.js" */
import { byId, element, nameControl, setAttribute, textButton } from "./elements.js";
import { thingsWord } from "./search.js";
import { showKeys } from "./toolbar.js";

/**
 * @param {AppState} state
 * @param {Settings} settings
 * @param {ThingSearch} search
 */
export function connectSearchBar(state, settings, search) {
  const bar = byId("search-bar", HTMLElement);
  const progress = searchProgress(state, search);
  const choice = foundChoice(state, search);
  bar.append(progress, choice);
  state.on(["searching", "found"], ({ searching, found }) => {
    bar.hidden = !searching && !found;
    progress.hidden = !searching;
    choice.hidden = !found;
  });
  const button = byId("find-things", HTMLButtonElement);
  button.addEventListener("click", () => void search.begin());
  state.on(["opening", "searching"], ({ opening, searching }) => {
    button.disabled = opening !== "ready";
    setAttribute(button, "aria-pressed", String(searching !== null));
  });
  showKeys(settings, (keys) => nameControl(button, "Find all things", keys("find_things")));
}

/** @param {AppState} state @param {ThingSearch} search */
function searchProgress(state, search) {
  const fill = element("span", { class: "meter-fill" });
  const meter = element("div", {
    class: "meter", role: "progressbar", "aria-label": "Places looked at", "aria-valuemin": 0, "aria-valuemax": 100,
  }, fill);
  const text = element("span", {}, "Looking for things");
  const stop = textButton("Stop", () => search.stop());
  state.on(["searching"], ({ searching }) => {
    const percent = searching ? Math.round((100 * searching.numDone) / searching.numClicks) : 0;
    setAttribute(meter, "aria-valuenow", percent);
    fill.style.setProperty("--share", `${percent}%`);
  });
  return element("div", { class: "search-line" }, text, meter, stop);
}

/** @param {AppState} state @param {ThingSearch} search */
function foundChoice(state, search) {
  const text = element("span", {});
  const input = element("input", { type: "range", min: 1, step: 1, "aria-label": "How many of the surest things to add" });
  input.addEventListener("input", () => search.take(Number(input.value)));
  const add = textButton("Add", () => search.add(), "button primary");
  const discard = textButton("Discard", () => search.discard());
  state.on(["found"], ({ found }) => {
    if (!found) return;
    const { things, number, isAdding } = found;
    text.textContent = things.length === 1 ? "1 thing found" : `The surest ${number} of ${things.length} found`;
    input.hidden = things.length === 1;
    setAttribute(input, "max", things.length);
    if (input.value !== String(number)) input.value = String(number);
    setAttribute(input, "aria-valuetext", `${number} of ${things.length}`);
    add.textContent = isAdding ? "Adding" : `Add ${thingsWord(number)}`;
    add.disabled = input.disabled = discard.disabled = isAdding;
  });
  return element("div", { class: "search-line" }, text, element("div", { class: "slider" }, input), add, discard);
}
