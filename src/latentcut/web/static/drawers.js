/** The panels of a narrow window: in from the side, out again on Escape or a tap beside them. */

import { byId, setAttribute } from "./elements.js";

export function connectDrawers() {
  const shade = byId("drawer-shade", HTMLElement);
  const drawers = [["toggle-images", "images-panel"], ["toggle-objects", "objects-panel"]].map(([button, panel]) => ({
    button: byId(button ?? "", HTMLElement),
    panel: byId(panel ?? "", HTMLElement),
  }));
  /** @param {HTMLElement | null} opened */
  const show = (opened) => {
    for (const { button, panel } of drawers) {
      const open = panel === opened;
      panel.classList.toggle("open", open);
      setAttribute(button, "aria-expanded", String(open));
    }
    shade.hidden = opened === null;
  };
  for (const { button, panel } of drawers) {
    button.addEventListener("click", () => show(panel.classList.contains("open") ? null : panel));
  }
  shade.addEventListener("click", () => show(null));
  document.addEventListener("keydown", (event) => {
    const open = drawers.find(({ panel }) => panel.classList.contains("open"));
    if (event.key !== "Escape" || !open || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    show(null);
    open.button.focus();
  }, true);
  addEventListener("resize", () => show(null));
  byId("film-strip", HTMLElement).addEventListener("click", () => show(null));
}
