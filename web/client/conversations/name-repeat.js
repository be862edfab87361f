// @ts-check
/** Tells new devices the name of the group, which they cannot read in earlier messages. */

/**
 * The device that added them repeats the name. If they joined by an external commit, the member device with the smallest
 * id does.
 * @param {import('../context.js').Context} client @param {import('./outbox.js').Outbox} outbox
 */
export function repeatNameForNewDevices(client, outbox) {
  client.on('members changed', async ({ before, members, sender }) => {
    const known = new Set(before.members.map(({ device }) => device));
    if (!before.name || members.every(({ device }) => known.has(device))) return;
    const [first] = members
      .map(({ device }) => device)
      .filter((device) => known.has(device))
      .sort();
    const repeats = known.has(sender) ? sender : first;
    if (repeats === client.me.device) await outbox.send(before.id, { kind: 'group', name: before.name });
  });
}
