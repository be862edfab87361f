// @ts-check
import { newId } from '../../../client/content/index.js';
import { t } from '../../messages/index.js';
import { loadNewer, loadOlder, loadWindow } from './loading.js';

/** @typedef {import('../../../client/conversations/readers.js').Reader} Reader */

/** @param {import('../../actions.js').Context} context */
export function timelineActions(context) {
  const { rpc, page } = context;
  return {
    /** @param {{ conversation: string, seq: number }} detail the oldest item that is loaded */
    loadOlder: ({ conversation, seq }) => loadOlder(context, conversation, seq),

    /** @param {{ conversation: string, seq: number }} detail the newest item that is loaded */
    loadNewer: ({ conversation, seq }) => loadNewer(context, conversation, seq),

    /** @param {{ conversation: string }} detail */
    showLatest: ({ conversation }) => loadWindow(context, conversation),

    /** Scroll to a message. @param {{ conversation: string, id: string }} detail */
    async showMessage({ conversation, id }) {
      const item = await rpc.messages.get({ conversation, message: id });
      if (!item) return page.toast(t.timeline.notOnDevice);
      await loadWindow(context, conversation, item.seq);
    },

    /** Everything up to `seq` has been read. @param {{ conversation: string, seq: number }} detail */
    markRead: ({ conversation, seq }) => rpc.conversations.markRead({ conversation, seq }),

    /** An empty emoji removes our reaction. @param {{ conversation: string, of: string, emoji: string }} detail */
    react: ({ conversation, of, emoji }) =>
      rpc.messages.send({ conversation, content: { kind: 'reaction', id: newId(), of, emoji } }),

    /** From this device only. @param {{ conversation: string, seq: number }} detail */
    deleteForMe: ({ conversation, seq }) => rpc.messages.hide({ conversation, seq }),

    /** @param {{ conversation: string, seq: number }} detail */
    deleteForEveryone: ({ conversation, seq }) => rpc.messages.deleteForEveryone({ conversation, seq }),

    /** Send a rejected message again. @param {{ id: string, readers: Reader[] }} detail */
    retryMessage: ({ id, readers }) => rpc.messages.retry({ message: id, readers }),

    /** Delete a rejected message. @param {{ id: string }} detail */
    discardMessage: ({ id }) => rpc.messages.discard({ message: id }),
  };
}
