/** Opening the project: until the server answers, and whatever it says meanwhile. */

/** @import { Api } from "./api.js" */
/** @import { AppState } from "./state.js" */
/** @import { Gallery } from "./gallery.js" */
/** @import { Settings } from "./settings.js" */
/** @import { TroubleBoard } from "./status.js" */
import { untilSaved } from "./retry.js";

/**
 * @param {Api} api
 * @param {AppState} state
 * @param {Settings} settings
 * @param {Gallery} gallery
 * @param {TroubleBoard} board
 */
export async function openProject(api, state, settings, gallery, board) {
  try {
    const project = await untilSaved(() => api.project(), (trouble) => board.tell("project", trouble));
    const { name, version, num_masks: numMasks, images, labels } = project;
    state.set({ project: { name, version, numMasks }, images, labels, currentLabel: labels.labels[0]?.id ?? null });
    settings.load(project.settings);
    const wanted = Number(new URLSearchParams(location.hash.slice(1)).get("image"));
    const first = state.image(wanted)
      ?? images.find((image) => image.status === "in_work" && !image.missing)
      ?? images.find((image) => image.status !== "done" && !image.missing) ?? images[0];
    rememberImage(state);
    if (first) void gallery.open(first.id);
  } catch (error) {
    state.set({ projectError: error instanceof Error ? error.message : String(error) });
  }
}

/** A reload shows the same image again. @param {AppState} state */
function rememberImage(state) {
  state.on(["imageId"], ({ imageId }) => {
    if (imageId !== null) history.replaceState(null, "", `#image=${imageId}`);
  });
}
