// @ts-check
/** Commits that another device's commit overtakes are made again. */
import { Refused } from '../transport/api.js';
import { CommitRejected } from './errors.js';

const TRIES = 10;
const LATE = ['stale_epoch', 'tree_differs', 'unread_messages']; // the group or its log is further than this device

/**
 * Run `work`, which makes a commit, until no other commit comes first. Throws what the server answered, not the
 * CommitRejected around it.
 * @template R @param {() => Promise<R>} work
 * @param {(tried: number, code: string) => Promise<unknown>} [catchUp] before the next try; `code`: of the refusal
 * @param {{ tries?: number }} [limit]
 */
export async function untilAccepted(work, catchUp = async () => {}, { tries = TRIES } = {}) {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommitRejected)) throw error;
      const { cause } = error;
      const isLate = cause instanceof Refused && LATE.includes(cause.code);
      if (!isLate || tried === tries) throw cause;
      await catchUp(tried, cause.code);
    }
  }
}
