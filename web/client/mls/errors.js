// @ts-check
/** What can be wrong with a group, a frame or a commit. */

/** The server rejected the commit, and the transaction was undone; `cause` is the rejection. */
export class CommitRejected extends Error {
  name = 'CommitRejected';
}

/** A frame that this device cannot decrypt; `reason` is CoreCrypto's error. */
export class Undecryptable extends Error {
  name = 'Undecryptable';

  /** @param {string} reason @param {unknown} cause */
  constructor(reason, cause) {
    super(`cannot decrypt: ${reason}`, { cause });
    this.reason = reason;
  }
}

/**
 * Two leaves of the group have the same device, or a leaf has an identity that is not of this protocol. CoreCrypto
 * answers identities by client id, so one of the two leaves could read everything and be seen nowhere.
 */
export class ForgedGroup extends Error {
  name = 'ForgedGroup';
}

/**
 * The client has encrypted nothing, because of a member of the group. `code` says which:
 *  - `changed_key`: a user shows another account key than before
 *  - `unlisted_device`: an account key has not listed a leaf of its user
 *  - `stranger`: no member has added a user
 *  - `new_readers`: the group has a leaf that the author did not see
 *  - `removal_asked`: only the server or an intruder says that a verified user left
 */
export class HeldBack extends Error {
  name = 'HeldBack';

  /** @param {'changed_key' | 'unlisted_device' | 'stranger' | 'new_readers' | 'removal_asked'} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** A welcome or group info that is not of this group, or older than what this device has seen of it. */
export class OutdatedGroup extends Error {
  name = 'OutdatedGroup';
}

/** The client clears these failures, and sends again, when the group, a device list or the user's decision changes. */
export const PASSING = ['changed_key', 'unlisted_device', 'stranger', 'removal_asked'];
