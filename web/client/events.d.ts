import type { Conversation, Change, Item, Said } from './conversations/reducer.js';
import type { Waiting } from './conversations/outbox.js';
import type { Member } from './mls/core-crypto.js';
import type { Me } from './session/account.js';
import type { SignedList } from './trust/device-list.js';
import type { Standing } from './trust/enrolment.js';
import type { Identity } from './trust/identities.js';
import type { OwnDevice } from './trust/own-devices.js';

/** Events that other parts handle before the part that emits them goes on, with their details. */
export interface WaitedEvents {
  'state lost': { conversation: string; reason: string };
  'members changed': {
    conversation: string;
    notice: { what: 'members' } & Change;
    before: Conversation;
    members: Member[];
    /** The device that made the commit. */
    sender: string;
  };
  /** A commit has removed another device of this account. */
  'own device removed': { conversation: string };
  'own message': { id: string; conversation: string; seq: number; at: string; progress?: Partial<Conversation> };
  epoch: { conversation: string };
  /** The user has agreed to strangers or removals, or verified a contact: messages may have waited for that. */
  agreed: object;
  /** An entry of the log says that the user of `device` has left. The server writes it, and can lie. */
  left: { conversation: string; device: string };
  /** This user is about to remove another one. */
  removing: { conversation: string; user: string };
  /** This user has removed another one. */
  'user removed': { conversation: string; user: string };
  /** This device has created a group. */
  created: { conversation: string };
  joined: { conversation: string; after: number; isWelcomed: boolean };
  /** This device was listed by the account key, or is not listed any more. */
  standing: { standing: Standing };
  /** Everything that this device missed has been received. */
  ready: object;
  /** Messages wait that may be sent now. */
  due: object;
}

/** Everything that a client emits, with its details. */
export interface ClientEvents extends WaitedEvents {
  offline: object;
  'logged out': object;
  problem: { error: unknown };
  me: Me['user'];
  conversation: Conversation;
  /** Devices of this account that it has not confirmed. */
  unconfirmed: { devices: OwnDevice[] };
  /**
   * This account's newest list has a removed device again, or another list has its counter: the server has shown a device
   * an older list.
   */
  'list conflict': { signed: SignedList };
  /** There is a newer list of a user's devices, or another account key. */
  identity: { user: string; identity: Identity };
  item: { conversation: string; item: Item };
  message: { conversation: string; message: Said };
  emptied: { conversation: string };
  /** It was deleted from this device. */
  gone: { conversation: string };
  /** Items of the conversation have other places than before. */
  rewound: { conversation: string };
  members: { conversation: string; notice: { what: 'members' } & Change };
  /** This device is not in the group any more. */
  removed: { conversation: string };
  rejoined: { conversation: string; reason: string };
  undecryptable: { conversation: string; seq: number; reason: string };
  typing: { conversation: string; user: string };
  waiting: Waiting;
  sent: { id: string; conversation: string; seq: number };
  dropped: { id: string };
  failed: Waiting & { code: string; error: string };
}
