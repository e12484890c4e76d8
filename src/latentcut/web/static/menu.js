/** A small menu next to the control that opened it. */

/**
 * @typedef {object} MenuItem
 * @property {string} text
 * @property {string} icon
 * @property {() => void} run
 * @property {string} [key]  shown only
 * @property {boolean} [disabled]
 * @property {boolean} [danger]
 */

import { element, icon } from "./elements.js";

const MARGIN_PX = 8;

/**
 * Open a menu; it closes when something is taken, on Escape, and on a click elsewhere, and gives
 * the focus back to where it was.
 *
 * @param {HTMLElement} opener  where it opens
 * @param {string} name  read out
 * @param {(MenuItem | null)[]} items  null: a line between
 */
export function openMenu(opener, name, items) {
  const before = document.activeElement instanceof HTMLElement ? document.activeElement : opener;
  const menu = element("div", { class: "menu", role: "menu", popover: "auto", "aria-label": name });
  for (const item of items) menu.append(item ? menuItem(item, menu) : element("hr", { role: "separator" }));
  (opener.closest("aside, header, main") ?? document.body).append(menu);
  opener.setAttribute("aria-expanded", "true");
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    opener.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement) || document.activeElement === document.body) before.focus();
    menu.remove();
  });
  menu.addEventListener("keydown", (event) => moveFocus(event, menu));
  menu.showPopover();
  place(menu, opener);
  choices(menu)[0]?.focus();
}

/**
 * @param {MenuItem} item
 * @param {HTMLElement} menu
 */
function menuItem(item, menu) {
  const attributes = {
    type: "button", role: "menuitem", class: item.danger ? "menu-item danger" : "menu-item", tabindex: -1,
    disabled: item.disabled,
  };
  const key = item.key ? element("kbd", { "aria-hidden": "true" }, item.key) : null;
  const button = element("button", attributes, icon(item.icon), element("span", {}, item.text), key);
  button.addEventListener("click", () => {
    menu.hidePopover();
    item.run();
  });
  return button;
}

/** @param {HTMLElement} menu @returns {HTMLButtonElement[]} */
function choices(menu) {
  return [...menu.querySelectorAll("button")].filter((button) => !button.disabled);
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} menu
 */
function moveFocus(event, menu) {
  const all = choices(menu);
  const at = all.findIndex((button) => button === document.activeElement);
  /** @type {Record<string, number>} */
  const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  const next = places[event.key];
  if (event.key === "Tab") menu.hidePopover();
  if (next === undefined) return;
  event.preventDefault();
  all.at(next % all.length)?.focus();
}

/**
 * Below the opener, right edges in line, inside the window.
 *
 * @param {HTMLElement} menu
 * @param {HTMLElement} opener
 */
function place(menu, opener) {
  const from = opener.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = menu;
  const left = Math.max(MARGIN_PX, Math.min(from.right - offsetWidth, innerWidth - offsetWidth - MARGIN_PX));
  const below = from.bottom + 4;
  const top = below + offsetHeight > innerHeight - MARGIN_PX ? from.top - offsetHeight - 4 : below;
  menu.style.setProperty("--menu-x", `${left}px`);
  menu.style.setProperty("--menu-y", `${Math.max(MARGIN_PX, top)}px`);
}
