/** Asks the server once a second how it is: a full disk is told before the next click. */

/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Trouble } from "./retry.js" */
import { pause, troubleOf } from "./retry.js";

const INTERVAL_MS = 1_000;
const PATIENCE_HIDDEN_MS = 60_000; // a tab that nobody sees stops asking after a minute

/**
 * Ask for ever.
 *
 * @param {Api} api
 * @param {AppState} state
 * @param {(trouble: Trouble | null) => void} tell
 */
export async function pollStatus(api, state, tell) {
  let hiddenSince = 0;
  document.addEventListener("visibilitychange", () => {
    hiddenSince = document.hidden ? Date.now() : 0;
  });
  for (;;) {
    if (!hiddenSince || Date.now() - hiddenSince < PATIENCE_HIDDEN_MS) await ask(api, state, tell);
    await pause(INTERVAL_MS);
  }
}

/**
 * @param {Api} api
 * @param {AppState} state
 * @param {(trouble: Trouble | null) => void} tell
 */
async function ask(api, state, tell) {
  try {
    const status = await api.status();
    const { encoded } = state.now;
    if (status.encoded.length !== encoded.size || status.encoded.some((id) => !encoded.has(id))) {
      state.set({ encoded: new Set(status.encoded) });
    }
    if (status.folder === "missing") {
      tell({ kind: "unavailable", message: "the folder of the images is gone" });
    } else if (status.store === "unavailable") {
      tell({ kind: "unavailable", message: status.reason ?? "the project cannot be written" });
    } else tell(null);
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble?.kind !== "busy") tell(trouble);
  }
}
