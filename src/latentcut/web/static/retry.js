/**
 * Sending until it is saved. What went wrong is told to the page, and the work is kept.
 *
 * @typedef {"busy" | "no_answer" | "unavailable" | "no_token" | "failed"} TroubleKind
 * @typedef {{kind: TroubleKind, message: string}} Trouble
 */

import { ApiError } from "./api.js";

const RETRY_MS = 1_000;
const MAX_SERVER_FAULTS = 3; // a 500 that comes back three times will not go away by itself

/**
 * What an error means for work that is not saved yet.
 *
 * @param {unknown} error
 * @returns {Trouble | null}  null: sending the same again is of no use.
 */
export function troubleOf(error) {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 0) return { kind: "no_answer", message: error.message };
  if (error.status === 401) return { kind: "no_token", message: error.message };
  const waits = error.code === "busy" || error.code === "took_too_long";
  if (error.status === 503 && waits) return { kind: "busy", message: error.message };
  if (error.status === 507) return { kind: "unavailable", message: error.message };
  if (error.status >= 500) return { kind: "failed", message: error.message };
  return null;
}

/**
 * Call `send` until it succeeds, or fails for good, or is no longer wanted.
 *
 * @template A
 * @param {(attempt: number) => Promise<A>} send
 * @param {(trouble: Trouble | null) => void} tell  Called with what is wrong, and with null at the end.
 * @returns {Promise<A>}
 */
export async function untilSaved(send, tell) {
  let faults = 0;
  try {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await send(attempt);
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === null) throw error;
        faults += trouble.kind === "failed" ? 1 : 0;
        if (faults >= MAX_SERVER_FAULTS) throw error;
        tell(trouble);
        const waitS = error instanceof ApiError && trouble.kind === "busy" ? error.retryAfterS : 1;
        await pause(Math.max(waitS * 1_000, RETRY_MS));
      }
    }
  } finally {
    tell(null);
  }
}

/** @param {number} ms @returns {Promise<void>} */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
