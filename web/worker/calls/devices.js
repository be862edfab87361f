// @ts-check
/** The devices of the account, and how a new one is confirmed. */
import { DAY_MS } from '../../client/util/time.js';

/** @param {{ client: import('../../client/client.js').Client, page: import('../page.js').Page }} parts */
export function deviceCalls({ client, page }) {
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
      /** Returns a code. @param {{ isNew: boolean }} args whether it is another one than before */
      ask: ({ isNew }) => client.linking.ask({ isNew }),
      /** @param {{ code: string }} args of the new device */
      link: ({ code }) => client.linking.link(code),
      /** @param {{ code: string }} args the recovery key */
      async recover({ code }) {
        await client.recoveryKey.use(code);
        await page.keepsRecoveryKey();
      },
      /** @param {{ password: string }} args */
      async startAgain({ password }) {
        await client.enrolment.startAgain(password);
        await page.losesRecoveryKey();
      },
      /** Returns the recovery key, which the user has not kept yet. */
      async makeRecoveryKey() {
        const code = await client.recoveryKey.make();
        await page.losesRecoveryKey();
        return code;
      },
      keepRecoveryKey: () => page.keepsRecoveryKey(),
      /** @param {{ days: number }} args until the next reminder */
      postponeRecoveryKey: ({ days }) => page.postponeRecoveryKey(days * DAY_MS),
    },
  };
}
