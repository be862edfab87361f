// @ts-check
/**
 * The calls that a page can make to the worker, in groups; each takes one object of named arguments.
 *
 * The table that `createRpc` returns is the only list of calls: the page's proxy (`app/link.js`) has its type and sends
 * `group`, `method` and the arguments. Private keys never pass through here.
 *
 * A new leader answers calls that its predecessor left open, so a call can run twice. A conversation and a message have
 * the page's id, so that they are created once. An account, a session, a share code and a new key can be made twice.
 */

/**
 * @typedef {import('../client/client.js').Client} Client
 * @typedef {import('../client/content/index.js').Known} Known
 * @typedef {import('../client/transport/frames.d.ts').Device} Device
 * @typedef {import('../client/transport/frames.d.ts').OwnAccount} OwnAccount
 * @typedef {import('../client/transport/frames.d.ts').Server} Server
 * @typedef {import('../client/transport/frames.d.ts').Session} Session
 * @typedef {import('../client/transport/frames.d.ts').ShareCode} ShareCode
 * @typedef {import('../client/transport/frames.d.ts').User} User
 * @typedef {import('../client/conversations/outbox.js').Waiting} Waiting
 * @typedef {import('../client/conversations/reducer.js').Conversation} Conversation
 * @typedef {import('../client/conversations/reducer.js').Person} Person
 * @typedef {{ theme: 'system' | 'light' | 'dark', language: 'system' | 'en' | 'de', receipts: boolean, typing: boolean,
 *   notices: boolean }} Settings
 * @typedef {'codes' | 'invites'} ShareKind
 * @typedef {Device & { isListed: boolean }} OwnDevice
 * @typedef {`${string}-${string}-${string}-${string}-${string}`} Uuid
 */

/**
 * @typedef {object} Snapshot everything that a page shows when it starts
 * @property {{ id: string, username: string, picture?: string, device: string } | null} me null: nobody is logged in
 * @property {Settings} settings
 * @property {boolean} [hasEnded] the session is over; the device and its data remain
 * @property {boolean} [isOnline]
 * @property {import('../client/trust/enrolment.js').Standing} [standing]
 * @property {boolean} [isRecoveryDue] the user has no recovery key, and is to be reminded
 * @property {Conversation[]} [conversations]
 * @property {Waiting[]} [waiting]
 * @property {[conversation: string, text: string][]} [drafts]
 */

/** @typedef {ReturnType<typeof createRpc>['rpc']} Table the calls as the worker has them */

/**
 * The calls as a page sees them: the same, and each returns a promise.
 * @typedef {{ [Group in keyof Table]: { [Method in keyof Table[Group]]: AsPromise<Table[Group][Method]> } }} Rpc
 */
/**
 * @template Call
 * @typedef {Call extends (...args: infer Args) => infer Result ? (...args: Args) => Promise<Awaited<Result>> : never} AsPromise
 */

/** @type {Settings} */
export const DEFAULTS = { theme: 'system', language: 'system', receipts: true, typing: true, notices: false };

/**
 * @param {Client} client
 * @param {object} page
 * @param {import('./events.js').Emit} page.emit sends an event to every tab
 * @param {(snapshot: () => Promise<Snapshot>) => Promise<void>} page.emitSnapshot
 */
export function createRpc(client, { emit, emitSnapshot }) {
  const { api, storage } = client;
  /** @type {Settings} */
  let settings = DEFAULTS;
  let hasEnded = false;
  client.listen('logged out', () => (hasEnded = true));

  /** @param {Settings} changed */
  function applySettings(changed) {
    settings = changed;
    client.receipts.isEnabled = settings.receipts;
  }

  /** An account is logged in: connect, and show it in every tab. */
  async function enter() {
    hasEnded = false;
    await client.enrolment.resume();
    void client.connection.connect().catch(() => {}); // the event 'logged out' reports it
    await emitSnapshot(snapshot);
  }

  /** A new device: whether its account has to confirm it decides what is shown. */
  async function enlist() {
    await client.attempt(() => client.inTurn(() => client.enrolment.settle()));
    await enter();
  }

  /** @returns {Promise<Snapshot>} */
  async function loggedOutSnapshot() {
    return { me: null, settings };
  }

  /** @returns {Promise<Snapshot>} */
  async function snapshot() {
    if (!client.me) return loggedOutSnapshot();
    const [conversations, drafts] = await Promise.all([storage.all('conversations'), storage.all('state', 'draft/')]);
    return {
      me: { ...client.me.user, device: client.me.device },
      hasEnded,
      isOnline: client.connection.isReady,
      standing: client.enrolment.standing,
      isRecoveryDue: await isRecoveryDue(),
      settings,
      conversations: conversations.map(([, one]) => one),
      waiting: await client.outbox.waiting(),
      drafts: drafts.map(([key, text]) => [key.slice('draft/'.length), text]),
    };
  }

  async function isRecoveryDue() {
    const [made, remindAt = 0] = await Promise.all([
      storage.get('state', 'recovery-made'),
      storage.get('state', 'recovery-reminder'),
    ]);
    return client.enrolment.isListed && made === undefined && remindAt < Date.now();
  }

  /** All data of this account is deleted; the next account starts in a new worker. */
  async function close() {
    await emitSnapshot(loggedOutSnapshot);
    self.close();
  }

  async function refreshConversations() {
    await client.membership.refresh();
    await client.inTurn(() => client.direct.catchUp());
  }

  /** Resume the account of this browser, if there is one. */
  async function start() {
    applySettings({ ...DEFAULTS, ...(await storage.get('state', 'settings')) });
    const hasAccount = await client.account.resume();
    void client.account.endLeft();
    if (hasAccount) return enter();
    await emitSnapshot(loggedOutSnapshot);
  }

  const rpc = {
    page: {
      snapshot,
      /** The addresses that the worker has loaded. */
      loadedFiles: () => [self.location.href, ...performance.getEntriesByType('resource').map(({ name }) => name)],
    },

    connection: {
      /** The network or the tab has changed: check the connection now. */
      check: () => client.connection.check(),
    },

    account: {
      /** What anyone may know of the server. @returns {Promise<Server>} */
      server: () => api.call('GET', 'server'),
      /** @param {{ username: string, password: string, invite?: string }} args */
      register: ({ username, password, invite }) => client.account.register(username, password, invite).then(enlist),
      /** @param {{ username: string, password: string }} args */
      logIn: ({ username, password }) => client.account.logIn(username, password).then(enlist),
      /** @param {{ password: string }} args */
      logInAgain: ({ password }) => client.account.logInAgain(password).then(enter),
      logOut: () => client.farewell.logOut().then(close),
      /** @param {{ password: string }} args */
      remove: ({ password }) => client.farewell.deleteAccount(password).then(close),
      /** @returns {Promise<OwnAccount>} */
      get: () => api.call('GET', 'account'),
      /** @param {{ bio: string }} args @returns {Promise<void>} */
      setBio: ({ bio }) => api.call('PATCH', 'account', { bio }),
      /** @param {{ image: string }} args base64 of the file @returns {Promise<void>} */
      setPicture: ({ image }) => api.call('PUT', 'account/picture', { image }),
      /** @param {{ password: string, newPassword: string }} args @returns {Promise<void>} */
      setPassword: ({ password, newPassword }) =>
        api.call('PUT', 'account/password', { password, new_password: newPassword }),
    },

    sessions: {
      /** @returns {Promise<Session[]>} */
      list: () => api.call('GET', 'sessions'),
      /** @param {{ session: string }} args @returns {Promise<void>} */
      end: ({ session }) => api.call('DELETE', `sessions/${session}`),
    },

    devices: {
      /** @returns {Promise<OwnDevice[]>} */
      async list() {
        const own = await client.identities.of(client.me.user.id);
        const devices = await api.call('GET', 'devices');
        return devices.map((one) => ({ ...one, isListed: own === undefined || own.devices[one.id] !== undefined }));
      },
      /** @param {{ device: string }} args */
      async revoke({ device }) {
        await client.enrolment.unlist(device);
        await api.call('DELETE', `devices/${device}`);
      },
    },

    linking: {
      ask: () => client.enrolment.ask(),
      /** @param {{ code: string }} args of the new device */
      link: ({ code }) => client.enrolment.link(code),
      /** @param {{ code: string }} args the recovery key */
      async recover({ code }) {
        await client.enrolment.recover(code);
        await storage.write([['state', 'recovery-made', Date.now()]]);
      },
      /** @param {{ password: string }} args */
      startAgain: ({ password }) => client.enrolment.startAgain(password),
      /** Returns the recovery key. */
      async makeRecoveryKey() {
        const code = await client.enrolment.makeRecoveryKey();
        await storage.write([['state', 'recovery-made', Date.now()]]);
        emit('recovery', { isDue: false });
        return code;
      },
      /** @param {{ days: number }} args until the next reminder */
      async postponeRecoveryKey({ days }) {
        await storage.write([['state', 'recovery-reminder', Date.now() + days * 24 * 3600 * 1000]]);
        emit('recovery', { isDue: false });
      },
    },

    settings: {
      /** @param {{ changes: Partial<Settings> }} args */
      async change({ changes }) {
        applySettings({ ...settings, ...changes });
        await storage.write([['state', 'settings', settings]]);
        emit('settings', settings);
      },
    },

    contacts: {
      /** By the exact name. @param {{ username: string }} args @returns {Promise<User>} */
      find: ({ username }) => client.membership.find(username),
      /** By a share code, which it uses up. @param {{ code: string | number }} args @returns {Promise<User>} */
      add: ({ code }) => api.call('POST', 'contacts', { code }),
      /** @returns {Promise<User[]>} */
      blocked: () => api.call('GET', 'blocks'),
      /** @param {{ user: string }} args */
      block: ({ user }) => api.call('PUT', `blocks/${user}`).then(refreshConversations),
      /** @param {{ user: string }} args */
      unblock: ({ user }) => api.call('DELETE', `blocks/${user}`).then(refreshConversations),
    },

    shareCodes: {
      /** The oldest first. @param {{ kind: ShareKind }} args @returns {Promise<ShareCode[]>} */
      list: ({ kind }) => api.call('GET', kind),
      /** @param {{ kind: ShareKind }} args @returns {Promise<{ code: number | string }>} */
      create: ({ kind }) => api.call('POST', kind),
      /** @param {{ kind: ShareKind, code: number | string }} args @returns {Promise<void>} */
      revoke: ({ kind, code }) => api.call('DELETE', `${kind}/${code}`),
    },

    conversations: {
      /** Returns its id. @param {{ usernames: string[], name?: string, id: Uuid }} args */
      async start({ usernames, name, id }) {
        await client.membership.start(usernames, id);
        if (name) await client.outbox.send(id, { kind: 'group', name });
        return id;
      },
      /** Returns its id. @param {{ username: string }} args */
      startDirect: ({ username }) => client.membership.find(username).then((user) => client.direct.open(user.id)),
      /** A new key of a direct conversation; deletes its messages. @param {{ conversation: string }} args */
      async renewKey({ conversation }) {
        const known = await client.store.get(conversation);
        const other = known?.people.find(({ id }) => id !== client.me.user.id);
        if (!other) throw new Error(`${conversation} has no other member`);
        return client.direct.renewKey(other);
      },
      /** @param {{ conversation: string, username: string }} args */
      addMember: ({ conversation, username }) => client.membership.add(conversation, [username]),
      /** @param {{ conversation: string, user: string }} args */
      removeMember: ({ conversation, user }) => client.membership.remove(conversation, user),
      /** @param {{ conversation: string, user: string, role: Person['role'] }} args */
      setRole: ({ conversation, user, role }) => client.membership.setRole(conversation, user, role),
      /** @param {{ conversation: string }} args */
      leave: ({ conversation }) => client.farewell.leave(conversation),
      /** Accept or ignore a message request. @param {{ conversation: string, state: 'joined' | 'ignored' }} args */
      answer: ({ conversation, state }) => client.membership.answer(conversation, state),
      /** Delete it from this browser; only one that this device has left. @param {{ conversation: string }} args */
      async forget({ conversation }) {
        await client.store.forget(conversation);
        emit('gone', { conversation });
      },
      /** @param {{ conversation: string }} args */
      typing({ conversation }) {
        if (settings.typing) client.type(conversation);
      },
      /** An empty text deletes the draft. @param {{ conversation: string, text: string }} args */
      saveDraft: ({ conversation, text }) => storage.write([['state', `draft/${conversation}`, text || undefined]]),
      /** Everything up to `seq` has been read. @param {{ conversation: string, seq: number }} args */
      markRead: ({ conversation, seq }) => client.receipts.read(conversation, seq),
    },

    trust: {
      /** @param {{ conversation: string, user: string }} args */
      safetyNumber: ({ conversation, user }) => client.trust.safetyNumber(conversation, user),
      /**
       * The safety number made of these thumbprints was compared.
       * @param {{ user: string, thumbprints: string[], name: string }} args
       */
      async verify({ user, thumbprints, name }) {
        await client.identities.acceptChanged(user);
        await client.trust.verify(user, thumbprints, name);
      },
      /** Go on with a contact's other account key, without verifying it. @param {{ user: string }} args */
      acceptKey: ({ user }) => client.identities.acceptChanged(user),
      /** Let those read along whom no member has added. @param {{ conversation: string }} args */
      acceptStrangers: ({ conversation }) => client.membership.acceptStrangers(conversation),
      /** Remove those whose removal the server asks for. @param {{ conversation: string }} args */
      agreeToRemovals: ({ conversation }) => client.removals.agree(conversation),
    },

    messages: {
      /**
       * The newest items before `before`, oldest first.
       * @param {{ conversation: string, before?: number, limit: number }} args
       */
      list: ({ conversation, before, limit }) => client.store.items(conversation, { before, limit }),
      /** The next items from `from` on. @param {{ conversation: string, from: number, limit: number }} args */
      listFrom: ({ conversation, from, limit }) => client.store.itemsFrom(conversation, { from, limit }),
      /** @param {{ conversation: string, message: string }} args */
      get: ({ conversation, message }) => client.store.itemOf(conversation, message),
      /**
       * Returns when it is stored here; the same id again is the same message.
       * @param {{ conversation: string, content: Known }} args
       */
      send: ({ conversation, content }) => client.outbox.send(conversation, content),
      /** Send a rejected message again. @param {{ message: string }} args */
      retry: ({ message }) => client.outbox.retry(message),
      /** Remove a rejected message from the outbox. @param {{ message: string }} args */
      discard: ({ message }) => client.outbox.discard(message),
      /** @param {{ conversation: string, seq: number }} args */
      deleteForEveryone: ({ conversation, seq }) => client.deleteForEveryone(conversation, seq),
      /** Delete it from this browser. @param {{ conversation: string, seq: number }} args */
      hide: ({ conversation, seq }) => client.store.hide(conversation, seq),
      /**
       * Fetch edits and deletions in a direct conversation that this device has missed.
       * @param {{ conversation: string, from: number, to: number }} args
       */
      resync: ({ conversation, from, to }) => client.direct.resync(conversation, from, to),
    },
  };
  return { start, rpc };
}

/**
 * Run one call. Throws TypeError where the table has no such call.
 * @param {Table} rpc @param {string} group @param {string} method @param {unknown} args
 */
export async function runCall(rpc, group, method, args) {
  const methods = Object.hasOwn(rpc, group)
    ? /** @type {Record<string, (args: unknown) => unknown>} */ (rpc[/** @type {keyof Table} */ (group)])
    : {};
  if (!Object.hasOwn(methods, method)) throw new TypeError(`there is no call ${group}.${method}`);
  return methods[method](args);
}
