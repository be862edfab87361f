// @ts-check
/**
 * Everything that a user can do: the actions of each feature in one table. A component dispatches an action by its
 * name (`Element.act` and `Element.ask`); a new feature adds its actions here, in one line.
 */
import { composerActions } from './features/composer/actions.js';
import { conversationsActions } from './features/conversations/actions.js';
import { detailsActions } from './features/details/actions.js';
import { linkingActions } from './features/linking/actions.js';
import { newConversationActions } from './features/new-conversation/actions.js';
import { sessionActions } from './features/session-expired/actions.js';
import { settingsActions } from './features/settings/actions.js';
import { timelineActions } from './features/timeline/actions.js';
import { trustActions } from './features/trust/actions.js';
import { welcomeActions } from './features/welcome/actions.js';
import { errorText } from './messages/errors.js';
import { pageActions } from './page.js';

/**
 * What an action works with.
 * @typedef {object} Context
 * @property {import('../worker/rpc.js').Rpc} rpc
 * @property {import('./link.js').Link} link
 * @property {import('./state/store.js').Store} store
 * @property {import('./page.js').Page} page
 */

/** @param {Context} context */
export function createActions(context) {
  return {
    ...pageActions(context),
    ...welcomeActions(context),
    ...sessionActions(context),
    ...conversationsActions(context),
    ...newConversationActions(context),
    ...timelineActions(context),
    ...composerActions(context),
    ...detailsActions(context),
    ...linkingActions(context),
    ...trustActions(context),
    ...settingsActions(context),
  };
}

/**
 * @typedef {ReturnType<typeof createActions>} Actions
 *
 * @typedef {{ [Name in keyof Actions]: { action: Name }
 *   & (Parameters<Actions[Name]> extends [] ? { detail?: undefined } : { detail: Parameters<Actions[Name]>[0] })
 * }[keyof Actions]} Call an action with what it needs
 *
 * @typedef {Call & { resolve?: (result: unknown) => void, reject?: (error: unknown) => void }} Request
 */

/**
 * Run the actions that the components below `root` dispatch. An error goes to the component that waits for the result,
 * or else becomes a toast.
 * @param {EventTarget} root @param {Actions} actions @param {import('./page.js').Page} page
 */
export function runActions(root, actions, page) {
  const table = /** @type {Record<string, (detail: unknown) => unknown>} */ (actions);

  /** @param {Request} request */
  async function run({ action, detail, resolve, reject }) {
    try {
      const result = await table[action](detail);
      resolve?.(result);
    } catch (error) {
      if (reject) reject(error);
      else page.toast(errorText(error));
    }
  }

  root.addEventListener('action', (event) => void run(/** @type {CustomEvent<Request>} */ (event).detail));
}
