// @ts-check
/**
 * The state of the page: a pure reducer, composed of one slice per feature. A slice gets the state as it was before
 * the event and returns the properties that it changes; no two slices change the same property. Applying an event
 * twice has the same result as applying it once.
 */
import { composerSlice } from '../features/composer/reducer.js';
import { conversationsSlice } from '../features/conversations/reducer.js';
import { linkingSlice } from '../features/linking/reducer.js';
import { sessionSlice } from '../features/session-expired/reducer.js';
import { settingsSlice } from '../features/settings/reducer.js';
import { timelineSlice } from '../features/timeline/reducer.js';
import { phaseSlice } from '../features/welcome/reducer.js';
import { toastsSlice } from './toasts.js';

/**
 * @typedef {import('../../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../../client/conversations/reducer.js').Item} Item
 * @typedef {import('../../client/conversations/outbox.js').Waiting} Waiting
 * @typedef {import('../../worker/page.js').Settings} Settings
 * @typedef {import('../../worker/page.js').Snapshot} Snapshot
 * @typedef {NonNullable<Snapshot['me']>} Me
 * @typedef {{ id: number, text: string }} Toast
 *
 * @typedef {object} Window the items of the open conversation that are in the page
 * @property {Item[]} items
 * @property {boolean} hasOlder
 * @property {boolean} hasNewer
 * @property {number} unreadFrom the seq of the first that was unread when it was opened; 0: none
 * @property {number} [target] the seq of the item to scroll to
 * @property {number} [at] when it was loaded
 *
 * @typedef {object} State
 * @property {'starting' | 'failed' | 'welcome' | 'waiting' | 'home'} phase
 * @property {string} failure the code of the error that stopped the start
 * @property {Me | null} me
 * @property {boolean} hasEnded the session is over; the device and its data remain
 * @property {'online' | 'offline'} line
 * @property {Settings | null} settings
 * @property {import('../../worker/page.js').Recovery} recovery
 * @property {import('../../client/trust/own-devices.js').OwnDevice[]} unconfirmed devices of the account
 * @property {Record<string, Conversation>} conversations
 * @property {Record<string, Record<string, number>>} typing by conversation and user: since when
 * @property {string | null} open the id of a conversation
 * @property {Waiting[]} waiting messages that the server does not have yet
 * @property {Record<string, string>} drafts by conversation
 * @property {Window | null} window
 * @property {Item[]} came items of the open conversation that came since its window was requested
 * @property {Record<string, Item>} quoted items outside of the window that are replied to, by message id
 * @property {Toast[]} toasts
 */

/**
 * @typedef {{ type: 'snapshot' } & Snapshot
 *   | { type: 'start failed', code: string }
 *   | { type: 'me', username: string }
 *   | { type: 'settings', settings: Settings }
 *   | { type: 'standing', standing: import('../../client/trust/enrolment.js').Standing }
 *   | { type: 'recovery', recovery: import('../../worker/page.js').Recovery }
 *   | { type: 'unconfirmed', devices: import('../../client/trust/own-devices.js').OwnDevice[] }
 *   | { type: 'ready' } | { type: 'offline' } | { type: 'logged out' }
 *   | { type: 'conversation', conversation: Conversation }
 *   | { type: 'gone', conversation: string }
 *   | { type: 'emptied', conversation: string }
 *   | { type: 'item', conversation: string, item: Item }
 *   | { type: 'waiting', waiting: Waiting }
 *   | { type: 'sent' | 'dropped', id: string }
 *   | { type: 'typing', conversation: string, user: string, at: number }
 *   | { type: 'typing expired', at: number }
 *   | { type: 'draft', conversation: string, text: string }
 *   | { type: 'opened', conversation: string | null }
 *   | { type: 'window requested' }
 *   | { type: 'window', conversation: string, window: Window }
 *   | { type: 'older' | 'newer', conversation: string, items: Item[], isAll: boolean }
 *   | { type: 'quoted', item: Item }
 *   | { type: 'toast', toast: Toast } | { type: 'toast expired', id: number }} Event
 *
 * @typedef {(state: State, event: Event) => Partial<State> | undefined} Slice
 */

/** @type {Slice[]} */
const SLICES = [
  phaseSlice, sessionSlice, settingsSlice, conversationsSlice, composerSlice, timelineSlice, linkingSlice, toastsSlice,
]; // prettier-ignore

/** @type {State} */
export const EMPTY = {
  phase: 'starting',
  failure: '',
  me: null,
  hasEnded: false,
  line: 'offline',
  settings: null,
  recovery: 'postponed',
  unconfirmed: [],
  conversations: {},
  typing: {},
  open: null,
  waiting: [],
  drafts: {},
  window: null,
  came: [],
  quoted: {},
  toasts: [],
};

/** The same object where nothing has changed. @param {State} state @param {Event} event @returns {State} */
export function reduce(state, event) {
  /** @type {Partial<State>} */
  const changes = {};
  for (const slice of SLICES) Object.assign(changes, slice(state, event));
  const names = /** @type {(keyof State)[]} */ (Object.keys(changes));
  const hasChanged = names.some((name) => changes[name] !== state[name]);
  return hasChanged ? { ...state, ...changes } : state;
}
