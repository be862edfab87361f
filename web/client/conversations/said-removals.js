// @ts-check
/** Says inside the group whom this user has removed. */

const REMOVING = 'removing/'; // the group and the user, in the storage until the message is in the outbox

/**
 * After a crash between the commit and the message, the next start sends it.
 * @param {import('../context.js').Context} client
 * @param {object} parts
 * @param {import('./outbox.js').Outbox} parts.outbox
 * @param {import('./store.js').ConversationStore} parts.store
 */
export function sayRemovals(client, { outbox, store }) {
  const settle = async (/** @type {string} */ conversation, /** @type {string} */ user) => {
    const known = await store.get(conversation);
    const isRemoved = known?.isActive && known.members.every((member) => member.user !== user);
    if (isRemoved) await outbox.send(conversation, { kind: 'removal', user });
    await client.storage.write([['state', `${REMOVING}${conversation}/${user}`]]);
  };
  client.on('removing', ({ conversation, user }) =>
    client.storage.write([['state', `${REMOVING}${conversation}/${user}`, true]]),
  );
  client.on('user removed', ({ conversation, user }) => settle(conversation, user));
  client.on('ready', async () => {
    for (const [key] of await client.storage.all('state', REMOVING)) {
      const [conversation, user] = key.slice(REMOVING.length).split('/');
      await settle(conversation, user);
    }
  });
}
