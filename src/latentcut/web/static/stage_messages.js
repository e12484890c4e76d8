/** What lies over the picture: nothing to show, still loading, could not be opened, working. */

/** @import { AppState, Values } from "./state.js" */
import { byId, element, icon, textButton } from "./elements.js";

const LATE_MS = 250; // a spinner that flashes for an instant makes a quick page feel slow

/**
 * @param {AppState} state
 * @param {() => void} retry
 * @param {() => void} next
 */
export function connectStageMessages(state, retry, next) {
  const holder = byId("stage-message", HTMLElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  state.on(["project", "projectError", "images", "opening", "openError"], (now) => {
    clearTimeout(timer);
    const message = messageFor(now, retry, next);
    const late = now.opening === "opening" || (!now.project && !now.projectError);
    const show = () => {
      holder.replaceChildren(...(message ?? []));
      holder.hidden = message === null;
    };
    if (late) timer = setTimeout(show, LATE_MS);
    else show();
  });
  const stage = byId("stage", HTMLElement);
  state.on(["opening"], ({ opening }) => stage.setAttribute("aria-busy", String(opening !== "ready")));
  const busy = byId("stage-busy", HTMLElement);
  const text = byId("stage-busy-text", HTMLElement);
  state.on(["busy", "encoded", "imageId", "opening", "trouble"], (now) => {
    const encoding = now.opening === "ready" && now.imageId !== null && !now.encoded.has(now.imageId);
    const words = now.trouble?.kind === "busy" ? "Busy: waiting in line"
      : now.busy ? "Working" : encoding && !now.trouble ? "Getting the image ready" : "";
    busy.hidden = words === "";
    if (text.textContent !== words) text.textContent = words;
  });
}

/**
 * @param {Readonly<Values>} now
 * @param {() => void} retry
 * @param {() => void} next
 * @returns {Node[] | null}
 */
function messageFor(now, retry, next) {
  if (now.projectError) {
    return [icon("warning"), heading("The project cannot be opened"), paragraph(now.projectError)];
  }
  if (!now.project) return [element("span", { class: "spinner" }), paragraph("Opening the project")];
  if (now.images.length === 0) {
    return [
      icon("folder"), heading("No images in this folder"),
      paragraph("Put pictures into it (PNG, JPEG, WebP, TIFF, BMP or GIF) and load this page again. Nothing is ever written to the pictures themselves."),
      textButton("Load again", () => location.reload(), "button primary"),
    ];
  }
  if (now.opening === "opening") return [element("span", { class: "spinner" }), paragraph("Opening the image")];
  if (now.opening === "failed") {
    return [
      icon("warning"), heading("This image cannot be opened"), paragraph(sentence(now.openError)),
      element("div", { class: "stage-actions" }, textButton("Try again", retry), textButton("Next image", next)),
    ];
  }
  return null;
}

/** Our errors begin with a small letter and have no full stop. @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

/** @param {string} text */
function heading(text) {
  return element("h2", {}, text);
}

/** @param {string} text */
function paragraph(text) {
  return element("p", {}, text);
}
