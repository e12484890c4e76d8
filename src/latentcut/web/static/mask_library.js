/** Masks by the name of their content: decoded once, fetched when the page has not met them. */

/** @import * as T from "./types.js" */
/** @import { Api } from "./api.js" */
import { Mask } from "./masks.js";

const MAX_DECODED = 300;
const MAX_CODES = 5_000;

export class MaskLibrary {
  /** @type {Map<string, Mask>} */
  #decoded = new Map();
  /** @type {Map<string, T.Rle>} */
  #codes = new Map();
  /** @type {Set<string>} */
  #fetching = new Set();

  /**
   * @param {Api} api
   * @param {() => void} onArrival  Called when a fetched mask can be had.
   */
  constructor(api, onArrival) {
    this.api = api;
    this.onArrival = onArrival;
  }

  /** @param {Record<string, T.Rle>} codes */
  add(codes) {
    for (const [id, code] of Object.entries(codes)) this.#codes.set(id, code);
    trim(this.#codes, MAX_CODES);
  }

  /**
   * The mask, or null while it is being fetched.
   *
   * @param {string} id
   * @returns {Mask | null}
   */
  get(id) {
    const ready = this.#decoded.get(id) ?? this.#decode(id);
    if (!ready) {
      void this.#fetch(id);
      return null;
    }
    this.#decoded.delete(id); // to the end of the order: used last
    this.#decoded.set(id, ready);
    trim(this.#decoded, MAX_DECODED);
    return ready;
  }

  /** @param {string} id */
  #decode(id) {
    const code = this.#codes.get(id);
    return code ? Mask.fromRle(code) : null;
  }

  /** @param {string} id */
  async #fetch(id) {
    if (this.#fetching.has(id)) return;
    this.#fetching.add(id);
    try {
      this.add({ [id]: await this.api.mask(id) });
      this.onArrival();
    } catch {
      // asked for again by the next change; the status line tells when the server is away
    } finally {
      this.#fetching.delete(id);
    }
  }
}

/**
 * Drop the oldest entries.
 *
 * @param {Map<string, unknown>} map
 * @param {number} most
 */
function trim(map, most) {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
