// @ts-check
/** The state of the page, and the listeners that are called when it changes. */
import { EMPTY, reduce } from './reducer.js';

/** @typedef {import('./reducer.js').State} State */

export class Store {
  state = EMPTY;
  /** @type {Set<(state: State) => void>} */
  #listeners = new Set();

  /** @param {import('./reducer.js').Event} event */
  dispatch(event) {
    const next = reduce(this.state, event);
    if (next === this.state) return;
    this.state = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** @param {(state: State) => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }
}
