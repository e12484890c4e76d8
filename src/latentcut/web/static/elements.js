/**
 * Making and finding elements. Text from people only ever becomes text: there is no way here to
 * turn a string into markup.
 */

const SVG = "http://www.w3.org/2000/svg";
const SPRITE = "#icon-"; // ids of the icons in index.html

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 *   `class`, `id`, `aria-...` and so on; false, null and undefined leave one out.
 * @param {...(Node | string | null)} children  Strings become text nodes.
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

/**
 * @param {Element} target
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(target, name, value) {
  if (value === false || value === null || value === undefined) target.removeAttribute(name);
  else target.setAttribute(name, value === true ? "" : String(value));
}

/**
 * An icon of our sprite; decoration only, so the control around it needs a name of its own.
 *
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}${name}`);
  svg.append(use);
  return svg;
}

/**
 * Show another icon in a place that has one.
 *
 * @param {Element} holder
 * @param {string} name
 */
export function changeIcon(holder, name) {
  holder.querySelector("use")?.setAttribute("href", `${SPRITE}${name}`);
}

/**
 * A button with an icon and a name that is read out and shown on hover.
 *
 * @param {string} iconName
 * @param {string} name
 * @param {() => void} onClick
 * @param {string} [className]
 * @returns {HTMLButtonElement}
 */
export function iconButton(iconName, name, onClick, className = "icon-button") {
  const attributes = { type: "button", class: className, "aria-label": name, title: name };
  const button = element("button", attributes, icon(iconName));
  button.addEventListener("click", onClick);
  return button;
}

/**
 * A button with a text.
 *
 * @param {string} text
 * @param {() => void} onClick
 * @param {string} [className]
 * @returns {HTMLButtonElement}
 */
export function textButton(text, onClick, className = "button") {
  const button = element("button", { type: "button", class: className }, text);
  button.addEventListener("click", onClick);
  return button;
}

/**
 * The element of the page with this id.
 *
 * @template {Element} E
 * @param {string} id
 * @param {new (...args: any[]) => E} type
 * @returns {E}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`index.html has no ${type.name} #${id}`);
  return found;
}

/**
 * Rename a control: its accessible name and its tooltip.
 *
 * @param {Element} control
 * @param {string} name
 * @param {string} [keys]  Shown in the tooltip only.
 */
export function nameControl(control, name, keys = "") {
  control.setAttribute("aria-label", name);
  control.setAttribute("title", keys ? `${name} (${keys})` : name);
}
