/**
 * What the server sends on `/v2`, as docs/PROTOCOL.md describes it. `decode.js` checks every frame and every answer
 * against these types before the client sees it. Times are RFC 3339; ids of users and conversations are UUIDs; bytes
 * are base64.
 */

// Frames of the socket

export interface EntryFrame {
  type: 'entry';
  conversation: string;
  seq: number;
  epoch: number;
  /** `application`, `commit`, `left`, or a kind of a newer server. */
  kind: string;
  /** The device. */
  sender: string;
  at: string;
  /** Absent: deleted by its author, or sent by this device. */
  data?: string;
  /** Of this device's own messages. */
  id?: string;
}

export interface WelcomeFrame {
  type: 'welcome';
  conversation: string;
  seq: number;
  data?: string | null;
}

export interface SentFrame {
  type: 'sent';
  id: string;
  seq: number;
  at: string;
}

export interface RefusedFrame {
  type: 'refused';
  id: string;
  code: string;
  error: string;
}

export interface TextFrame extends DirectText {
  type: 'direct';
  conversation: string;
}

export interface DirectChangedFrame {
  type: 'direct_changed';
  conversation: string;
  /** Absent: the whole conversation changed. */
  seq?: number;
}

export type ServerFrame =
  | EntryFrame
  | WelcomeFrame
  | SentFrame
  | RefusedFrame
  | TextFrame
  | DirectChangedFrame
  | { type: 'ready' }
  | { type: 'pong' }
  | { type: 'key_packages_low' }
  | { type: 'links_changed' }
  | { type: 'devices_changed'; user: string }
  | { type: 'members_changed'; conversation: string }
  | { type: 'profile_changed'; user: string }
  | { type: 'deleted'; conversation: string; seq: number }
  | { type: 'typing'; conversation: string; user: string }
  | { type: 'problem'; code: string; error: string };

export type ClientFrame =
  | { type: 'send'; id: string; conversation: string; epoch: number; data: string }
  | { type: 'ack'; conversation: string; seq: number }
  | { type: 'typing'; conversation: string }
  | { type: 'ping' };

// Answers

export interface Server {
  version: string;
  registration: 'open' | 'invite' | 'closed';
  motd: string;
}

export interface User {
  id: string;
  username: string;
  bio?: string;
  /** The version of the picture. */
  picture?: string;
}

export interface LoggedIn {
  token: string;
  user: User;
}

export interface OwnAccount {
  id: string;
  username: string;
  email: string | null;
  bio: string | null;
  role: string;
  picture: string | null;
  invited_by: User | null;
}

export interface Session {
  id: string;
  created_at: string;
  expires_at: string;
  device: string | null;
  current: boolean;
}

export interface Device {
  id: string;
  user: string;
  name: string;
  signature_key: string;
  identity: string;
  created_at: string;
}

/** A code or an invite that can still be used. */
export interface ShareCode {
  code: number | string;
  expires_at: string;
}

export interface ClaimedKeyPackage {
  device: string;
  key_package: string;
  last_resort: boolean;
}

export interface Member {
  id: string;
  username: string;
  role: 'owner' | 'admin' | 'member';
  picture?: string;
}

export interface ListedConversation {
  id: string;
  epoch: number;
  last_seq: number;
  state: 'joined' | 'requested' | 'ignored' | 'blocked';
  members: Member[];
  /** SHA-256 of the commit that began the epoch, in base64. */
  commit_hash?: string;
}

export type LogEntry = Omit<EntryFrame, 'type'> & { type?: string };

export interface AcceptedCommit {
  seq: number;
  epoch: number;
  at: string;
}

export interface ListedDirect {
  id: string;
  user: User;
  last_seq: number;
  last_message_at: string | null;
  key_fingerprint: string | null;
  key_waiting: boolean;
  blocked: boolean;
}

export interface DirectText {
  seq: number;
  sender: string;
  text: string;
  at: string;
  /** Of this account's own messages. */
  id?: string;
  edited_at?: string;
}
