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
 * The group has leaves that may not read a message. Nothing was encrypted. `code` says why: `changed_key`, one of a user
 * who has shown another account key; `unlisted_device`, one that the account key of its user has not listed; `stranger`,
 * one of a user whom no member has added; `new_readers`, one that the author did not see; `removal_asked`, or a verified
 * user is not in the group any more.
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

/** Failures that are cleared when the group, a device list or the user's decision changes: nobody has to send again. */
export const PASSING = ['changed_key', 'unlisted_device', 'stranger', 'removal_asked'];
