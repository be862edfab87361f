// @ts-check
/** Messages: those that are stored, and those that wait. */

/**
 * @typedef {import('../../client/content/index.js').Known} Known
 * @typedef {import('../../client/conversations/readers.js').Reader} Reader
 */

/** @param {{ client: import('../../client/client.js').Client }} parts */
export function messageCalls({ client }) {
  return {
    messages: {
      /**
       * The newest items before `before`, oldest first.
       * @param {{ conversation: string, before?: number, limit: number }} args
       */
      list: ({ conversation, before, limit }) => client.store.items(conversation, { before, limit }),
      /** The next items from `from` on. @param {{ conversation: string, from: number, limit: number }} args */
      listFrom: ({ conversation, from, limit }) => client.store.itemsFrom(conversation, { from, limit }),
      /** @param {{ conversation: string, message: string }} args */
      get: ({ conversation, message }) => client.store.itemOf(conversation, message),
      /**
       * Returns when it is stored here; the same id again is the same message.
       * @param {{ conversation: string, content: Known }} args
       */
      send: ({ conversation, content }) => client.outbox.send(conversation, content),
      /** Send a rejected message again. @param {{ message: string, readers: Reader[] }} args */
      retry: ({ message, readers }) => client.outbox.retry(message, readers),
      /** Remove a rejected message from the outbox. @param {{ message: string }} args */
      discard: ({ message }) => client.outbox.discard(message),
      /** @param {{ conversation: string, seq: number }} args */
      deleteForEveryone: ({ conversation, seq }) => client.deleteForEveryone(conversation, seq),
      /** Delete it from this browser. @param {{ conversation: string, seq: number }} args */
      hide: ({ conversation, seq }) => client.store.hide(conversation, seq),
      /**
       * Fetch edits and deletions in a direct conversation that this device has missed.
       * @param {{ conversation: string, from: number, to: number }} args
       */
      resync: ({ conversation, from, to }) => client.direct.resync(conversation, from, to),
    },
  };
}
