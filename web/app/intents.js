// @ts-check
/** What a person wants, and what is done for it; and what happens, told to the state. */
import { newId } from '../client/content/index.js';
import { PAGE, listed, others } from './fold.js';
import { tellingOf } from './telling.js';
import { sentenceFor } from './words.js';

const TYPING_LOOK_MS = 1000;
const DRAFT_MS = 400; // what is typed within this is stored together

/**
 * @param {import('./store.js').Store} store @param {import('./link.js').Link} link
 */
export function intentsOf(store, link) {
  const { rpc } = link;
  const app = /** @type {import('./components/app.js').App} */ (document.querySelector('sv-app'));
  const { dress, notice, toast } = tellingOf(store, app);
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  const drafts = new Map();

  /** @param {string} type @param {any} detail */
  function onEvent(type, detail) {
    const before = store.state;
    switch (type) {
      case 'snapshot':
        if (before.me && !detail.me) return location.replace('/'); // logged out: nothing of it stays in this page
        store.dispatch({ type, ...detail });
        if (!before.me && detail.me) arrive();
        else if (store.state.open) void load(store.state.open); // another worker leads; what it has kept counts
        return dress();
      case 'settings':
        store.dispatch({ type, settings: detail });
        return dress();
      case 'ready':
        store.dispatch({ type });
        return lookAgain(store.state.window?.items ?? []);
      case 'conversation':
        store.dispatch({ type, conversation: detail });
        return dress();
      case 'waiting':
        return store.dispatch({ type, waiting: detail });
      case 'broken':
        store.dispatch({ type, ...detail });
        // A worker of another tab may lead, and have said so before.
        if (before.phase !== 'broken') void rpc.page.snapshot().then((now) => onEvent('snapshot', now));
        return;
      case 'failed':
        if (detail.content.kind === 'text' && detail.conversation === store.state.open) return; // it says so itself
        return toast(`Not sent: ${sentenceFor({ code: detail.code, message: detail.error })}`);
      case 'typing':
        return store.dispatch({ type, conversation: detail.conversation, user: detail.user, at: Date.now() });
      case 'message':
        return notice(detail);
      case 'problem':
        return console.warn('sottovoce:', detail.error.code, detail.error.message);
      default:
        store.dispatch({ type, ...detail });
    }
  }

  /** After logging in: what the address asked for, or whoever invited us. */
  async function arrive() {
    void navigator.storage.persist?.(); // keys and history are not a cache
    const { invite, code } = app.link;
    if (code) return show({ name: 'new', tab: 'code', code });
    if (!invite || listed(store.state).length) return follow();
    const { invited_by: host } = await rpc.account.get().catch(() => ({ invited_by: null }));
    app.link = {};
    if (host) await start([host.username]).catch((error) => toast(sentenceFor(error)));
  }

  /** @param {string[]} names @param {string} [title] */
  async function start(names, title) {
    const { state } = store;
    const me = /** @type {import('./fold.js').Me} */ (state.me);
    const isSame = (/** @type {string} */ one, /** @type {string} */ other) => one.toLowerCase() === other.toLowerCase();
    if (names.some((name) => isSame(name, me.username))) throw Object.assign(new Error(), { code: 'self_chat' });
    const known = listed(state).find((one) => {
      const [first, ...more] = others(one, me.id);
      return !title && names.length === 1 && one.isActive && one.kind !== 'direct' && !one.name && first && !more.length && isSame(first.username, names[0]);
    });
    const id = known?.id ?? (await rpc.conversations.start({ usernames: names, name: title, id: crypto.randomUUID() }));
    app.dialog = null;
    location.hash = `c/${id}`;
  }

  /** The stretch around an item, or that at the end. @param {string} id @param {number} [around] a seq */
  async function load(id, around, unreadFrom = 0) {
    store.dispatch({ type: 'asked' });
    const [before, after] = await Promise.all([
      rpc.messages.list({ conversation: id, before: around, limit: PAGE }),
      around === undefined ? [] : rpc.messages.listFrom({ conversation: id, from: around, limit: PAGE }),
    ]);
    const window = { items: [...before, ...after], hasOlder: before.length === PAGE, hasNewer: after.length === PAGE, unreadFrom, target: unreadFrom ? 0 : around, at: Date.now() };
    store.dispatch({ type: 'window', conversation: id, window });
    lookAgain(window.items);
    for (const item of window.items) if (item.replyTo) void quote(id, item.replyTo);
  }

  /** Edits and deletions in a direct conversation are told to those who listen, and asked for by those who did not. @param {import('./fold.js').Item[]} items */
  function lookAgain(items) {
    const open = store.state.open ? store.state.conversations[store.state.open] : null;
    if (open?.kind === 'direct' && items.length) void rpc.messages.resync({ conversation: open.id, from: items[0].seq, to: items[items.length - 1].seq }).catch(() => {});
  }

  /** @param {string} id @param {string} message */
  async function quote(id, message) {
    if (store.state.quoted[message] || store.state.window?.items.some((item) => item.id === message)) return;
    const item = await rpc.messages.get({ conversation: id, message });
    if (item) store.dispatch({ type: 'quoted', item });
  }

  /** Where even the worker that could log out does not begin. */
  async function emptyDevice() {
    link.stop();
    await fetch('/v2/sessions/current', { method: 'DELETE' }).catch(() => {}); // the cookie goes with it
    const databases = await indexedDB.databases();
    await Promise.all(databases.map(({ name }) => new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(String(name));
      request.onsuccess = resolve;
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error('Close the other tabs of Sottovoce, then reload this one and try again.'));
    }))); // prettier-ignore
    localStorage.clear();
    location.replace('/');
  }

  /** The address says what is open, so that the back button works. */
  function follow() {
    const given = new URLSearchParams(location.hash.slice(1));
    const [, id = null] = /^#c\/([0-9a-f-]{36})$/.exec(location.hash) ?? [];
    for (const name of /** @type {const} */ (['invite', 'code'])) {
      const value = given.get(name);
      if (!value) continue;
      app.link = { [name]: value };
      history.replaceState(null, '', '/'); // not kept where others may look
      if (store.state.me) return void arrive();
    }
    if (!store.state.me || id === store.state.open) return;
    app.dialog = null;
    const open = id && store.state.conversations[id] ? id : null;
    store.dispatch({ type: 'opened', conversation: open });
    const [unread] = open ? store.state.conversations[open].unread : [];
    if (open) void load(open, unread, unread);
  }

  /** @param {any} dialog */
  function show(dialog) {
    app.dialog = dialog;
  }

  /** A password that was asked for again. @param {any} error */
  function notYours(error) {
    if (error.code === 'invalid_credentials') error.code = 'wrong_password';
    throw error;
  }

  /** What is done for each intent; what it answers goes to who asks. @type {Record<string, (detail: any) => unknown>} */
  const doings = {
    // The page itself
    show: ({ dialog }) => show(dialog),
    confirm: (question) => show({ name: 'confirm', ...question }),
    close: () => (app.dialog = null),
    async copy({ text }) {
      await navigator.clipboard.writeText(text);
      toast('Copied');
    },
    open({ conversation, atEnd }) {
      if (atEnd) return load(conversation);
      location.hash = conversation ? `c/${conversation}` : '';
    },

    // Who we are
    register: ({ name, password, invite }) => rpc.account.register({ username: name, password, invite: invite || undefined }),
    logIn: ({ name, password }) => rpc.account.logIn({ username: name, password }),
    async logInAgain({ password }) {
      await rpc.account.logInAgain({ password });
      app.dialog = null;
    },
    logOut: () => rpc.account.logOut(),
    emptyDevice,
    deleteAccount: ({ password }) => rpc.account.remove({ password }).catch(notYours),
    async settle({ changes }) {
      if (changes.notices && globalThis.Notification?.permission === 'default') await Notification.requestPermission();
      await rpc.settings.change({ changes });
    },
    account: () => rpc.account.get(),
    devices: () => rpc.devices.list(),
    sessions: () => rpc.sessions.list(),
    blocked: () => rpc.contacts.blocked(),
    setBio: ({ bio }) => rpc.account.setBio({ bio }),
    setPicture: ({ image }) => rpc.account.setPicture({ image }),
    setPassword: ({ password, fresh }) => rpc.account.setPassword({ password, newPassword: fresh }).catch(notYours),
    async revokeDevice({ id }) {
      await rpc.devices.revoke({ device: id });
      show({ name: 'settings' });
    },
    endSession: ({ id }) => rpc.sessions.end({ session: id }),
    async block({ user }) {
      await rpc.contacts.block({ user });
      location.hash = '';
    },
    unblock: ({ user }) => rpc.contacts.unblock({ user }),
    own: ({ what }) => rpc.shareCodes.list({ kind: what }),
    makeOwn: ({ what }) => rpc.shareCodes.create({ kind: what }),
    takeBack: ({ what, code }) => rpc.shareCodes.revoke({ kind: what, code }),

    // Conversations
    find: ({ name }) => rpc.contacts.find({ username: name }),
    start: ({ names, title }) => start(names, title),
    async startByCode({ code }) {
      const { username } = await rpc.contacts.add({ code });
      await start([username]);
    },
    async startDirect({ name }) {
      const id = await rpc.conversations.startDirect({ username: name });
      app.dialog = null;
      location.hash = `c/${id}`;
    },
    async renewKey({ conversation }) {
      await rpc.conversations.renewKey({ conversation });
      toast('There is a new key. What was said before is gone, on both sides.');
    },
    add: ({ conversation, name }) => rpc.conversations.addMember({ conversation, username: name }),
    remove: ({ conversation, user }) => rpc.conversations.removeMember({ conversation, user }),
    setRole: ({ conversation, user, role }) => rpc.conversations.setRole({ conversation, user, role }),
    rename: ({ conversation, name }) => rpc.messages.send({ conversation, content: { kind: 'group', name, id: newId() } }),
    leave: ({ conversation }) => rpc.conversations.leave({ conversation }),
    forget: ({ conversation }) => rpc.conversations.forget({ conversation }),
    async answer({ conversation, state }) {
      await rpc.conversations.answer({ conversation, state });
      if (state === 'ignored') location.hash = '';
    },
    safetyNumber: ({ conversation, user }) => rpc.trust.safetyNumber({ conversation, user }),
    verify: ({ user, thumbprints }) => rpc.trust.verify({ user, thumbprints }),

    // What is said
    async say({ conversation, text, replyTo }) {
      try {
        await rpc.messages.send({ conversation, content: { kind: 'text', id: newId(), text, ...(replyTo ? { reply_to: replyTo } : {}) } });
      } catch (error) {
        doings.draft({ conversation, text }); // not lost: it stands in the field when one comes back
        throw error;
      }
    },
    edit: ({ conversation, of, text }) => rpc.messages.send({ conversation, content: { kind: 'edit', id: newId(), of, text } }),
    react: ({ conversation, of, emoji }) => rpc.messages.send({ conversation, content: { kind: 'reaction', id: newId(), of, emoji } }),
    retry: ({ id }) => rpc.messages.retry({ message: id }),
    giveUp: ({ id }) => rpc.messages.discard({ message: id }),
    unsay: ({ conversation, seq }) => rpc.messages.deleteForEveryone({ conversation, seq }),
    hide: ({ conversation, seq }) => rpc.messages.hide({ conversation, seq }),
    read: ({ conversation, seq }) => rpc.conversations.markRead({ conversation, seq }),
    type: ({ conversation }) => rpc.conversations.typing({ conversation }),
    draft({ conversation, text }) {
      store.dispatch({ type: 'draft', conversation, text });
      clearTimeout(drafts.get(conversation));
      if (text) drafts.set(conversation, setTimeout(() => rpc.conversations.saveDraft({ conversation, text }), DRAFT_MS));
      else void rpc.conversations.saveDraft({ conversation, text: '' });
    },
    async older({ conversation, seq }) {
      const items = await rpc.messages.list({ conversation, before: seq, limit: PAGE });
      store.dispatch({ type: 'older', conversation, items, isAll: items.length < PAGE });
      lookAgain(items);
      for (const { replyTo } of items) if (replyTo) void quote(conversation, replyTo);
    },
    async newer({ conversation, seq }) {
      store.dispatch({ type: 'asked' });
      const items = await rpc.messages.listFrom({ conversation, from: seq + 1, limit: PAGE });
      store.dispatch({ type: 'newer', conversation, items, isAll: items.length < PAGE });
      lookAgain(items);
    },
    async showMessage({ conversation, id }) {
      const item = await rpc.messages.get({ conversation, message: id });
      if (!item) return toast('That message is not on this device.');
      await load(conversation, item.seq);
    },
  };

  return {
    onEvent,

    /** @param {any} detail */
    async onIntent({ intent, resolve, reject, ...detail }) {
      try {
        const result = await doings[intent](detail);
        resolve?.(result);
      } catch (error) {
        if (reject) reject(error);
        else toast(sentenceFor(error));
      }
    },

    async begin() {
      addEventListener('hashchange', follow);
      for (const type of ['online', 'offline', 'pageshow']) addEventListener(type, () => rpc.connection.check());
      document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && rpc.connection.check());
      setInterval(() => store.dispatch({ type: 'typing is over', at: Date.now() }), TYPING_LOOK_MS);
      follow();
      onEvent('snapshot', await rpc.page.snapshot());
      if (!store.state.me) app.server = await rpc.account.server().catch(() => null);
    },
  };
}
