// @ts-check
/** The devices of the account, and how a new one is confirmed. */

/** @param {{ client: import('../../client/client.js').Client, emit: import('../events.js').Emit }} parts */
export function deviceCalls({ client, emit }) {
  return {
    devices: {
      list: () => client.ownDevices.list(),
      /** @param {{ device: string }} args */
      async revoke({ device }) {
        await client.ownList.remove(device);
        await client.api.call('DELETE', `devices/${device}`);
        await client.ownDevices.check();
      },
    },

    linking: {
      ask: () => client.linking.ask(),
      /** @param {{ code: string }} args of the new device */
      link: ({ code }) => client.linking.link(code),
      /** @param {{ code: string }} args the recovery key */
      async recover({ code }) {
        await client.recoveryKey.use(code);
        await client.storage.write([['state', 'recovery-made', Date.now()]]);
      },
      /** @param {{ password: string }} args */
      startAgain: ({ password }) => client.enrolment.startAgain(password),
      /** Returns the recovery key. */
      async makeRecoveryKey() {
        const code = await client.recoveryKey.make();
        await client.storage.write([['state', 'recovery-made', Date.now()]]);
        emit('recovery', { isDue: false });
        return code;
      },
      /** @param {{ days: number }} args until the next reminder */
      async postponeRecoveryKey({ days }) {
        await client.storage.write([['state', 'recovery-reminder', Date.now() + days * 24 * 3600 * 1000]]);
        emit('recovery', { isDue: false });
      },
    },
  };
}
