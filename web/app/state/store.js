// @ts-check
/** The state of the page, and who wants to know when it changes. */
import { EMPTY, reduce } from './reducer.js';

export class Store {
  state = EMPTY;
  /** @type {Set<(state: import('./reducer.js').State) => void>} */
  #listeners = new Set();

  /** @param {import('./reducer.js').Event} event */
  dispatch(event) {
    const next = reduce(this.state, event);
    if (next === this.state) return;
    this.state = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** @param {(state: import('./reducer.js').State) => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }
}
