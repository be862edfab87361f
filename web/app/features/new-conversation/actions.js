// @ts-check
import { failure } from '../../messages/errors.js';
import { listed, others } from '../../state/selectors.js';

/**
 * @typedef {import('../../actions.js').Context} Context
 * @typedef {import('../../../worker/calls/contacts.js').ShareKind} ShareKind
 * @typedef {import('../../../client/transport/frames.d.ts').ShareCode} ShareCode
 */

/** @param {string} one @param {string} other */
function isSameName(one, other) {
  return one.toLowerCase() === other.toLowerCase();
}

/**
 * An encrypted conversation with this person alone, if there is one.
 * @param {import('../../state/reducer.js').State} state @param {string} name
 */
function conversationWith(state, name) {
  return listed(state).find((one) => {
    const [first, ...more] = others(one, state.me?.id ?? '');
    const isPair = one.isActive && one.kind !== 'direct' && !one.name && more.length === 0;
    return isPair && first !== undefined && isSameName(first.username, name);
  });
}

/**
 * Open a conversation with these people; it is created if there is none.
 * @param {Context} context @param {string[]} names @param {string} [title]
 */
export async function startConversation({ rpc, store, page }, names, title) {
  const { state } = store;
  if (names.some((name) => isSameName(name, state.me?.username ?? ''))) throw failure('self_chat');
  const known = !title && names.length === 1 ? conversationWith(state, names[0]) : undefined;
  const id = known?.id ?? (await rpc.conversations.start({ usernames: names, name: title, id: crypto.randomUUID() }));
  page.close();
  page.open(id);
}

/** @param {Context} context */
export function newConversationActions(context) {
  const { rpc, page } = context;
  return {
    /** By the exact name. @param {{ name: string }} detail */
    findUser: ({ name }) => rpc.contacts.find({ username: name }),

    /** @param {{ names: string[], title?: string }} detail a title makes it a group */
    startConversation: ({ names, title }) => startConversation(context, names, title),

    /** @param {{ code: number }} detail */
    async startByCode({ code }) {
      const { username } = await rpc.contacts.add({ code });
      await startConversation(context, [username]);
    },

    /** Without end-to-end encryption. @param {{ name: string }} detail */
    async startDirect({ name }) {
      const id = await rpc.conversations.startDirect({ username: name });
      page.close();
      page.open(id);
    },

    /** Our own that can still be used, the oldest first. @param {{ kind: ShareKind }} detail */
    listCodes: ({ kind }) => rpc.shareCodes.list({ kind }),

    /** @param {{ kind: ShareKind }} detail */
    createCode: ({ kind }) => rpc.shareCodes.create({ kind }),

    /** @param {{ kind: ShareKind, code: ShareCode['code'] }} detail */
    revokeCode: ({ kind, code }) => rpc.shareCodes.revoke({ kind, code }),
  };
}
