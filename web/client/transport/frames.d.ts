/** What the server answers on `/v2`, as docs/PROTOCOL.md describes it. Times are RFC 3339, ids of users and conversations UUIDs. */

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
