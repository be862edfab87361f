// @ts-check
/** What a tab may ask of the worker that leads: each verb in terms of the client. Keys never leave through here. */

/** @typedef {{ theme: 'system' | 'light' | 'dark', receipts: boolean, typing: boolean, notices: boolean }} Settings */

/** @type {Settings} */
export const DEFAULTS = { theme: 'system', receipts: true, typing: true, notices: false };

/**
 * @param {import('../core/client.js').Client} client
 * @param {{ tell: (event: string, detail: any) => void, tellSnapshot: (snapshot: () => Promise<object>) => Promise<void>, wipe: () => Promise<void> }} platform
 * @returns {{ begin: () => Promise<void>, verbs: Record<string, (...given: any[]) => Promise<any>> }}
 */
export function verbsOf(client, { tell, tellSnapshot, wipe }) {
  const { api, storage } = client;
  /** @type {Settings} */
  let settings = DEFAULTS;
  let hasEnded = false;
  client.addEventListener('logged out', () => (hasEnded = true));

  /** @param {Settings} now */
  function use(now) {
    settings = now;
    client.receipts.areOn = settings.receipts;
  }

  /** Somebody is here: hold the line, and let every tab know. */
  async function arrive() {
    hasEnded = false;
    void client.line.connect().catch(() => {}); // 'logged out' says it
    await tellSnapshot(snapshot);
  }

  async function nobody() {
    return { me: null, settings };
  }

  async function snapshot() {
    if (!client.me) return nobody();
    const [conversations, drafts] = await Promise.all([storage.all('conversations'), storage.all('state', 'draft/')]);
    return {
      me: { ...client.me.user, device: client.me.device },
      hasEnded,
      isOnline: client.line.isReady,
      settings,
      conversations: conversations.map(([, one]) => one),
      waiting: await client.outbox.waiting(),
      drafts: drafts.map(([key, text]) => [key.slice('draft/'.length), text]),
    };
  }

  /** Nothing of this account stays in this browser; the next one begins in a new worker. */
  async function forget() {
    await wipe();
    await tellSnapshot(nobody);
    self.close();
  }

  async function refresh() {
    await client.groups.refresh();
    await client.inTurn(() => client.direct.catchUp());
  }

  async function begin() {
    use({ ...DEFAULTS, ...(await storage.get('state', 'settings')) });
    if (await client.account.resume()) return arrive();
    await wipe(); // who was here has gone, and may have left in the middle of it
    await tellSnapshot(nobody);
  }

  /** @type {Record<string, (...given: any[]) => Promise<any>>} */
  const verbs = {
    snapshot,
    loaded: async () => [self.location.href, ...performance.getEntriesByType('resource').map(({ name }) => name)],

    // Who we are
    server: () => api.call('GET', 'server'),
    register: (name, password, invite) => client.account.register(name, password, invite).then(arrive),
    logIn: (name, password) => client.account.logIn(name, password).then(arrive),
    logInAgain: (password) => client.account.logInAgain(password).then(arrive),
    logOut: () => client.account.logOut().then(forget),
    deleteAccount: (password) => client.account.remove(password).then(forget),
    async settle(changes) {
      use({ ...settings, ...changes });
      await storage.write([['state', 'settings', settings]]);
      tell('settings', settings);
    },
    account: () => api.call('GET', 'account'),
    setBio: (bio) => api.call('PATCH', 'account', { bio }),
    setPicture: (image) => api.call('PUT', 'account/picture', { image }),
    setPassword: (password, fresh) => api.call('PUT', 'account/password', { password, new_password: fresh }),
    sessions: () => api.call('GET', 'sessions'),
    endSession: (id) => api.call('DELETE', `sessions/${id}`),
    devices: () => api.call('GET', 'devices'),
    revokeDevice: (id) => api.call('DELETE', `devices/${id}`),
    blocked: () => api.call('GET', 'blocks'),
    block: (user) => api.call('PUT', `blocks/${user}`).then(refresh),
    unblock: (user) => api.call('DELETE', `blocks/${user}`).then(refresh),
    own: (what) => api.call('GET', what),
    makeOwn: (what) => api.call('POST', what),
    takeBack: (what, code) => api.call('DELETE', `${what}/${code}`),

    // Conversations
    find: (name) => client.groups.find(name),
    meet: (code) => api.call('POST', 'contacts', { code }),
    start: (names, title, id) => client.groups.start(names, title, id),
    startDirect: (name) => client.groups.find(name).then((user) => client.direct.open(user.id)),
    renewKey: (id) => client.log.conversation(id).then((known) => client.direct.renewKey(/** @type {any} */ (known?.people.find((one) => one.id !== client.me.user.id)))),
    add: (id, name) => client.groups.add(id, [name]),
    remove: (id, user) => client.groups.remove(id, user),
    leave: (id) => client.groups.leave(id),
    setRole: (id, user, role) => client.groups.setRole(id, user, role),
    answer: (id, state) => client.groups.answer(id, state),
    safetyNumber: (id, user) => client.groups.safetyNumber(id, user),
    verify: (user, thumbprints) => client.groups.verify(user, thumbprints),
    async forgetConversation(id) {
      await client.log.forget(id);
      tell('gone', { conversation: id });
    },

    // What is said
    lookAgain: (id, from, to) => client.direct.lookAgain(id, from, to),
    items: (id, where) => client.log.items(id, where),
    itemsFrom: (id, where) => client.log.itemsFrom(id, where),
    itemOf: (id, message) => client.log.itemOf(id, message),
    send: (id, content) => client.outbox.send(id, content),
    retry: (message) => client.outbox.retry(message),
    giveUp: (message) => client.outbox.giveUp(message),
    unsay: (id, seq) => client.unsay(id, seq),
    hide: (id, seq) => client.log.hide(id, seq),
    read: (id, seq) => client.receipts.read(id, seq),
    async type(id) {
      if (settings.typing) client.type(id);
    },
    draft: (id, text) => storage.write([['state', `draft/${id}`, text || undefined]]),
    hurry: async () => client.line.hurry(),
  };
  return { begin, verbs };
}
