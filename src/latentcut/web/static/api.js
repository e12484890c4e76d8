/** The server's HTTP API: one method per route. Retrying is the business of `retry.js`. */

/** @import * as T from "./types.js" */

const ACTION_LIMIT_MS = 60_000; // a click on a cold, slow machine takes seconds, not a minute
const READ_LIMIT_MS = 30_000;
const STATUS_LIMIT_MS = 1_600; // within the two seconds in which the page must say what is wrong

/** The server answered with an error, or did not answer (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status  0: no answer.
   * @param {string} code
   * @param {string} message
   * @param {number} [retryAfterS]
   */
  constructor(status, code, message, retryAfterS = 1) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * @typedef {object} Request
 * @property {string} [method]
 * @property {unknown} [json]
 * @property {Blob} [body]
 * @property {number} [revision]  sent as If-Match
 * @property {AbortSignal} [signal]
 * @property {number} [limitMs]
 */

export class Api {
  /** @param {string} [base] */
  constructor(base = "/api/v1") {
    this.base = base;
  }

  /** @returns {Promise<T.Project>} */
  project() {
    return this.#send("/project");
  }

  /** @returns {Promise<T.ServerStatus>} */
  status() {
    return this.#send("/status", { limitMs: STATUS_LIMIT_MS });
  }

  /**
   * @param {T.LabelDraft[]} labels
   * @param {number} revision
   * @returns {Promise<T.LabelSet>}
   */
  putLabels(labels, revision) {
    return this.#send("/project/labels", { method: "PUT", json: { labels }, revision });
  }

  /** @param {Record<string, unknown>} settings */
  putSettings(settings) {
    return this.#send("/project/settings", { method: "PUT", json: settings });
  }

  /** @returns {Promise<T.Preferences>} */
  preferences() {
    return this.#send("/project/preferences");
  }

  /** @param {boolean} enabled @returns {Promise<T.Preferences>} */
  usePreferences(enabled) {
    return this.#send("/project/preferences", { method: "PUT", json: { enabled } });
  }

  /** @returns {Promise<T.Preferences>} */
  forgetPreferences() {
    return this.#send("/project/preferences", { method: "DELETE" });
  }

  /**
   * @param {number} image
   * @param {AbortSignal} [signal]
   * @returns {Promise<T.ImageDocument>}
   */
  document(image, signal) {
    return this.#send(`/images/${image}`, { signal });
  }

  /**
   * @param {number} image
   * @param {T.Action} action
   * @param {number} revision
   * @returns {Promise<T.ActionAnswer>}
   */
  act(image, action, revision) {
    return this.#change(`/images/${image}/actions`, revision, action);
  }

  /**
   * @param {number} image
   * @param {"undo" | "redo"} direction
   * @param {number} revision
   * @returns {Promise<T.ActionAnswer>}
   */
  travel(image, direction, revision) {
    return this.#change(`/images/${image}/${direction}`, revision, undefined);
  }

  /**
   * @param {number} image
   * @param {{x: number, y: number, tab: string, label: number | null}} point  label: of a new object
   * @param {AbortSignal} signal
   * @returns {Promise<T.PreviewAnswer>}
   */
  preview(image, point, signal) {
    return this.#send(`/images/${image}/preview`, { method: "POST", json: point, signal });
  }

  /**
   * @param {number} image
   * @param {number} object
   * @param {AbortSignal} [signal]
   * @returns {Promise<T.CandidatesAnswer>}
   */
  candidates(image, object, signal) {
    return this.#send(`/images/${image}/objects/${object}/candidates`, { signal });
  }

  /** @param {number} image @param {AbortSignal} signal @returns {Promise<T.SearchAnswer>} */
  beginSearch(image, signal) {
    return this.#send(`/images/${image}/searches`, { method: "POST", json: {}, signal });
  }

  /** @param {number} image @param {string} name @param {AbortSignal} signal @returns {Promise<T.SearchAnswer>} */
  advanceSearch(image, name, signal) {
    return this.#send(`/images/${image}/searches/${name}/advance`, { method: "POST", signal });
  }

  /** @param {number} image @param {string} name @param {AbortSignal} signal @returns {Promise<T.FoundAnswer>} */
  found(image, name, signal) {
    return this.#send(`/images/${image}/searches/${name}`, { signal });
  }

  /** @param {number} image @param {string} name */
  dropSearch(image, name) {
    return this.#send(`/images/${image}/searches/${name}`, { method: "DELETE" });
  }

  /**
   * @param {string} id
   * @returns {Promise<T.Rle>}
   */
  mask(id) {
    return this.#send(`/masks/${encodeURIComponent(id)}`);
  }

  /**
   * @param {T.ExportFormat} format
   * @param {boolean} onlyDone
   * @returns {Promise<T.ExportAnswer>}
   */
  exportAs(format, onlyDone) {
    const json = { format, only_done: onlyDone };
    return this.#send("/exports", { method: "POST", json, limitMs: 600_000 });
  }

  /**
   * @param {T.ImportFormat} format
   * @param {File} file
   * @param {number | null} image  whose image a PNG belongs to
   * @returns {Promise<T.ImportAnswer>}
   */
  importFile(format, file, image) {
    const query = new URLSearchParams({ format, name: file.name });
    if (image !== null) query.set("image", String(image));
    return this.#send(`/imports?${query}`, { method: "POST", body: file, limitMs: 600_000 });
  }

  /** @param {number} image */
  viewUrl(image) {
    return `${this.base}/images/${image}/view.png`;
  }

  /** @param {number} image @param {number} column @param {number} row */
  tileUrl(image, column, row) {
    return `${this.base}/images/${image}/tiles/${column}/${row}.png`;
  }

  /** @param {number} image */
  thumbnailUrl(image) {
    return `${this.base}/images/${image}/thumbnail.jpg`;
  }

  /** @param {T.ExportFormat} format */
  zipUrl(format) {
    return `${this.base}/exports/${format}.zip`;
  }

  /**
   * @param {string} path
   * @param {number} revision
   * @param {T.Action | undefined} json
   * @returns {Promise<T.ActionAnswer>}
   */
  #change(path, revision, json) {
    return this.#send(path, { method: "POST", json, revision, limitMs: ACTION_LIMIT_MS });
  }

  /**
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<any>}
   */
  async #send(path, request = {}) {
    const limit = AbortSignal.timeout(request.limitMs ?? READ_LIMIT_MS);
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
    /** @type {Record<string, string>} */
    const headers = {};
    if (request.json !== undefined) headers["Content-Type"] = "application/json";
    else if (request.body) headers["Content-Type"] = "application/octet-stream";
    if (request.revision !== undefined) headers["If-Match"] = `"${request.revision}"`;
    const body = request.json === undefined ? request.body : JSON.stringify(request.json);
    try {
      const options = { method: request.method ?? "GET", headers, body, signal };
      const response = await fetch(this.base + path, options);
      if (!response.ok) throw await readError(response);
      return response.status === 204 ? null : await response.json();
    } catch (error) {
      if (error instanceof ApiError || request.signal?.aborted) throw error;
      throw new ApiError(0, "no_answer", "the server does not answer");
    }
  }
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function readError(response) {
  const retryAfterS = Number(response.headers.get("Retry-After") ?? "1") || 1;
  let code = "unknown";
  let message = `the server answered with status ${response.status}`;
  try {
    const { error } = await response.json();
    code = String(error.code);
    message = String(error.message);
  } catch {
    // not one of our errors (a proxy's page, say): the status is all there is to tell
  }
  return new ApiError(response.status, code, message, retryAfterS);
}
