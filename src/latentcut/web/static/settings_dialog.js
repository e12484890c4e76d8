/** Theme, how masks look, and whether the first mask follows what was chosen before. */

/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Settings, Theme } from "./settings.js" */
/** @import { HelpDialog } from "./help.js" */
import { checkLine, choiceCards, Dialog } from "./dialogs.js";
import { element, textButton } from "./elements.js";
import { LearningSwitch } from "./learning_switch.js";
import { opacitySlider } from "./toolbar.js";

export class SettingsDialog {
  /**
   * @param {Api} api
   * @param {AppState} state
   * @param {Settings} settings
   * @param {HelpDialog} help
   */
  constructor(api, state, settings, help) {
    this.learning = new LearningSwitch(api);
    this.state = state;
    this.settings = settings;
    this.dialog = new Dialog("Settings", "small");
    this.theme = element("div", {});
    const outline = checkLine("Outlines only", (outlineOnly) => state.setView({ outlineOnly }));
    const hatching = checkLine("Hatching, to tell masks apart without colour", (on) => state.setView({ hatching: on }));
    const hints = checkLine("Show where a next click would help most", (on) => state.setView({ hints: on }));
    state.on(["view"], ({ view }) => {
      outline.input.checked = view.outlineOnly;
      hatching.input.checked = view.hatching;
      hints.input.checked = view.hints;
    });
    const keys = textButton("Change the keys", () => {
      this.dialog.close();
      help.open();
    });
    this.dialog.body.append(this.theme,
      element("fieldset", { class: "check-list" }, element("legend", { class: "labelled-name" }, "Masks"),
        this.#opacity(), outline.root, hatching.root, hints.root),
      this.learning.root);
    this.dialog.foot.append(keys, element("span", { class: "toolbar-gap" }),
      textButton("Done", () => this.dialog.close(), "button primary"));
  }

  #opacity() {
    const slider = opacitySlider(this.state);
    slider.classList.remove("not-narrow");
    slider.prepend(element("span", {}, "Opacity"));
    return slider;
  }

  open() {
    this.theme.replaceChildren(choiceCards("Theme", [
      ["system", "As the system", "dark or light, as the computer is set"],
      ["dark", "Dark", "neutral greys around the picture"],
      ["light", "Light", "for bright rooms"],
    ], this.settings.theme, (theme) => this.settings.setTheme(/** @type {Theme} */ (theme))));
    this.dialog.open();
    void this.learning.refresh();
  }
}
