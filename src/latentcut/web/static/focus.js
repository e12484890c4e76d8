/**
 * Where the focus goes. Controls give it back to the picture when they were pressed with a pointer:
 * else Enter, meant to accept an object, would press the button once more. With the keyboard, and
 * for a screen reader, it stays.
 */

const TEXT_FIELDS = "input:not([type=radio]), select";

/** @param {HTMLElement} stageElement */
export function connectFocus(stageElement) {
  markTabbed(stageElement);
  const toPicture = () => stageElement.focus({ preventScroll: true });
  // before the control does its work, so that a dialog gives the focus back to the picture, too
  document.addEventListener("click", (event) => {
    const control = releasingControl(event);
    if (control?.matches("button")) toPicture();
  }, true);
  document.addEventListener("click", (event) => {
    // a label passes the focus on to its radio button only after the click
    if (releasingControl(event)?.matches("label")) setTimeout(toPicture);
  });
}

/**
 * The control that a pointer has pressed, if it is one that gives the focus back.
 *
 * @param {MouseEvent} event
 * @returns {Element | null}
 */
function releasingControl(event) {
  const { pointerType } = /** @type {PointerEvent} */ (event); // "" for keys and screen readers
  const target = /** @type {Element | null} */ (event.target);
  if (!pointerType || !target?.closest("[data-release-focus]")) return null;
  if (target.closest("[role=menu], [role=listbox]") || target.matches(TEXT_FIELDS)) return null;
  return target.closest("button, label");
}

/**
 * The picture has the focus most of the time: a strong ring would always be there, so it is for
 * those who came with the Tab key.
 *
 * @param {HTMLElement} stageElement
 */
function markTabbed(stageElement) {
  let lastKey = "";
  document.addEventListener("keydown", ({ key }) => (lastKey = key), true);
  document.addEventListener("pointerdown", () => {
    lastKey = "";
    stageElement.classList.remove("tabbed");
  }, true);
  stageElement.addEventListener("focus", () => stageElement.classList.toggle("tabbed", lastKey === "Tab"));
  stageElement.addEventListener("blur", () => stageElement.classList.remove("tabbed"));
}
