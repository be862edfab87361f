// @ts-check
import { failure } from '../../messages/errors.js';
import { askBeforeOtherKey } from '../trust/other-key.js';
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
 * @param {import('../../state/reducer.js').State} state @param {string} user
 */
function conversationWith(state, user) {
  return listed(state).find((one) => {
    const [first, ...more] = others(one, state.me?.id ?? '');
    const isPair = one.isActive && one.kind !== 'direct' && !one.name && more.length === 0;
    return isPair && first?.id === user;
  });
}

/**
 * Open a conversation with these people; it is created if there is none.
 * @param {Context} context @param {{ names: string[], title?: string, acceptsKeys?: boolean }} wanted `acceptsKeys`: also
 *   where someone has another account key than before
 */
export async function startConversation({ rpc, store, page }, { names, title, acceptsKeys = false }) {
  const { state } = store;
  if (names.some((name) => isSameName(name, state.me?.username ?? ''))) throw failure('self_chat');
  const isPair = !title && names.length === 1;
  const known = isPair ? conversationWith(state, (await rpc.contacts.find({ username: names[0] })).id) : undefined;
  try {
    if (acceptsKeys) await rpc.trust.acceptKeys({ usernames: names });
    const id = known?.id ?? (await rpc.conversations.start({ usernames: names, name: title, id: crypto.randomUUID() }));
    page.close();
    page.open(id);
  } catch (error) {
    askBeforeOtherKey(page, error, names, {
      action: 'startConversation',
      detail: { names, title, acceptsKeys: true },
    });
  }
}

/** @param {Context} context */
export function newConversationActions(context) {
  const { rpc, page } = context;
  return {
    /** By the exact name. @param {{ name: string }} detail */
    findUser: ({ name }) => rpc.contacts.find({ username: name }),

    /** @param {Parameters<typeof startConversation>[1]} detail a title makes it a group */
    startConversation: (detail) => startConversation(context, detail),

    /** @param {{ code: number }} detail */
    async startByCode({ code }) {
      const { username } = await rpc.contacts.add({ code });
      await startConversation(context, { names: [username] });
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
