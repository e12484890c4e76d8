// A place for what is dear to make: it holds so much, and what was not used for long leaves first.

/**
 * Least recently used values leave when all of them together weigh too much.
 *
 * @template T
 */
export class Shelf {
  /** @type {Map<string, {value: T, weight: number}>} in order of use */
  #entries = new Map();
  #weight = 0;

  /**
   * @param {number} maxWeight
   * @param {(value: T) => void} [drop] called with what leaves
   */
  constructor(maxWeight, drop = () => {}) {
    this.maxWeight = maxWeight;
    this.drop = drop;
  }

  get weight() {
    return this.#weight;
  }

  /**
   * @param {string} key
   * @returns {T | undefined}
   */
  get(key) {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /**
   * @param {string} key
   * @param {T} value
   * @param {number} weight
   */
  put(key, value, weight) {
    this.delete(key);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.maxWeight || oldest === key) break;
      this.delete(oldest);
    }
  }

  /** @param {string} key */
  delete(key) {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
    this.drop(entry.value);
  }

  clear() {
    for (const key of [...this.#entries.keys()]) this.delete(key);
  }
}
