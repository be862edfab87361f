// @ts-check
/** The lies that a server tells at random: `LIES` has a line for each. */
import { fromBase64, toBase64 } from '../client/util/bytes.js';
import { listOfGhost } from './attacks.js';
import { PrivateLog } from './private-log.js';
import { Ghost } from './tampering.js';

/** @typedef {import('./liar.js').Liar} Liar */
/** @typedef {import('./liar.js').Victim} Victim */

const CODES = [
  'stale_epoch',
  'commit_needed',
  'not_a_leaf',
  'busy',
  'too_many',
  'not_allowed',
  'id_taken',
  'bad_frame',
];

/** A ghost of this user joins in the victim's view. @param {Liar} liar @param {Victim} victim @param {string} user */
async function ghostJoins(liar, victim, user) {
  const ghost = await Ghost.open(user, liar.chance() < 0.3 ? liar.other(victim).client.me.device : undefined);
  const groupInfo = await victim.client.api.groupInfo(liar.id);
  liar.groupInfos.push(groupInfo);
  const commit = await ghost.join(groupInfo).catch(() => null);
  if (!commit) return; // the twin of a device that is in the group
  liar.ghosts.push(ghost);
  const { epoch = 0 } = (await victim.client.store.get(liar.id)) ?? {};
  const sender = liar.pick([ghost.device, liar.other(victim).client.me.device]);
  await liar.show(victim, { kind: 'commit', epoch, sender, data: commit });
}

/** @param {Liar} liar @param {Victim} victim */
async function anId(liar, victim) {
  const waiting = (await victim.client.outbox.waiting()).map(({ id }) => id);
  const items = (await victim.client.store.items(liar.id, {})).flatMap(({ id }) => id ?? []);
  return liar.pick([...waiting, ...items, 'f'.repeat(32)]);
}

/**
 * What the server answers in place of the key packages that another device has uploaded.
 * @param {Liar} liar @param {string} path @param {{ device: string, key_package: string, last_resort: boolean }[]} answer
 */
async function falseKeyPackages(liar, path, answer) {
  const [, user] = path.split('/');
  const { device } = answer[0] ?? { device: '00000000000000aa' };
  const ghost = await Ghost.open(liar.pick([user, crypto.randomUUID()]), liar.pick([device, undefined]));
  liar.ghosts.push(ghost);
  const another = {
    device: liar.pick([device, ghost.device]),
    key_package: await ghost.keyPackage(),
    last_resort: false,
  };
  const before = liar.keyPackages.splice(0).map((key_package) => ({ ...another, device, key_package }));
  liar.keyPackages = answer.map(({ key_package }) => key_package);
  return liar.pick([
    [another],
    [another, ...answer],
    [...answer, another],
    [...answer, ...answer],
    [...answer, ...before],
    [],
    answer.map((one) => ({ ...one, key_package: one.key_package.slice(0, -40) })),
  ]);
}

/** @type {Record<string, (liar: Liar, victim: Victim) => unknown>} */
export const LIES = {
  ghostOfThemselves: (liar, victim) => ghostJoins(liar, victim, victim.user),
  ghostOfTheOther: (liar, victim) => ghostJoins(liar, victim, liar.other(victim).user),
  ghostOfAStranger: (liar, victim) => ghostJoins(liar, victim, crypto.randomUUID()),
  async ghostSpeaks(liar, victim) {
    const ghost = liar.pick(liar.ghosts);
    if (!ghost) return;
    const of = await anId(liar, victim);
    const id = crypto.randomUUID().replaceAll('-', '');
    const content = liar.pick([
      { kind: 'text', text: 'from the server' },
      { kind: 'edit', of, text: 'from the server' },
      { kind: 'delete', of },
      { kind: 'reaction', of, emoji: '👎' },
      { kind: 'group', name: 'From the server' },
      { kind: 'leave', who: 'user' },
      { kind: 'device_list', ...listOfGhost(ghost.user) },
    ]);
    const data = await ghost.say(liar.id, { ...content, id }).catch(() => null);
    if (data === null) return;
    const { epoch = 0 } = (await victim.client.store.get(liar.id)) ?? {};
    await liar.show(victim, { kind: 'application', epoch, sender: ghost.device, data });
  },
  async ghostCommits(liar, victim) {
    const ghost = liar.pick(liar.ghosts);
    if (!ghost) return;
    const other = liar.other(victim);
    const added = await Ghost.open(liar.pick([crypto.randomUUID(), other.user]));
    const change = liar.pick([
      {},
      { add: [await added.keyPackage()] },
      { remove: [{ user: other.user, device: other.client.me.device }] },
    ]);
    const { epoch = 0 } = (await victim.client.store.get(liar.id)) ?? {};
    const made = await ghost.commit(liar.id, change).catch(() => null);
    if (!made) return;
    if (made.welcome) await added.accept(made.welcome).then(() => liar.ghosts.push(added));
    const sender = liar.pick([ghost.device, other.client.me.device]);
    await liar.show(victim, { kind: 'commit', epoch, sender, data: made.commit });
  },
  privateLog(liar, victim) {
    if (!liar.logs.has(victim)) liar.logs.set(victim, new PrivateLog(victim, liar.id));
  },
  keyPackages(liar, { lies }) {
    lies.changeAnswer.push(({ path }, answer) =>
      path.endsWith('/key-packages/claim') && liar.chance() < 0.5 ? falseKeyPackages(liar, path, answer) : undefined,
    );
  },
  async replay(liar, victim) {
    const entry = liar.pick(liar.entries);
    if (entry)
      victim.lies.inject(
        liar.chance() < 0.5 ? entry : await liar.next(victim, { ...entry, ...(await seqAfter(liar, victim)) }),
      );
  },
  async scramble(liar, victim) {
    const entry = liar.pick(liar.entries.filter(({ data }) => data));
    if (!entry) return;
    const bytes = fromBase64(entry.data);
    bytes[Math.floor(liar.chance() * bytes.length)] ^= 1;
    victim.lies.inject({ ...entry, ...(await seqAfter(liar, victim)), data: toBase64(bytes) });
  },
  async anotherSender(liar, victim) {
    const entry = liar.pick(liar.entries);
    if (entry)
      victim.lies.inject({
        ...entry,
        ...(await seqAfter(liar, victim)),
        sender: liar.pick(liar.victims).client.me.device,
      });
  },
  async strangeNumbers(liar, victim) {
    const entry = liar.pick(liar.entries);
    if (!entry) return;
    victim.lies.inject({ ...entry, seq: liar.pick(['x', -5, 0, 1e15, 1.5, null]) });
    victim.lies.inject({
      ...entry,
      ...(await seqAfter(liar, victim)),
      at: liar.pick(['yesterday', '', 7, '9999-99-99']),
    });
  },
  async emptyEntry(liar, victim) {
    const entry = liar.pick(liar.entries.filter(({ kind }) => kind === 'application'));
    if (entry) victim.lies.inject({ ...entry, ...(await seqAfter(liar, victim)), data: undefined });
  },
  dropEntries(liar, { lies }) {
    lies.changeFrame.push((frame) => (frame.type === 'entry' && liar.isNow ? null : undefined));
  },
  hideCommits(_, { lies }) {
    const hidden = (/** @type {any} */ entry) =>
      entry.kind === 'commit' ? { ...entry, kind: 'of a later version', data: undefined } : entry;
    lies.changeFrame.push((frame) => (frame.type === 'entry' ? hidden(frame) : undefined));
    lies.changeAnswer.push(({ path }, answer) => (path.includes('/log?') ? answer.map(hidden) : undefined));
  },
  emptyLog(liar, { lies }) {
    lies.changeAnswer.push(({ path }) => (path.includes('/log?') && liar.isNow ? [] : undefined));
  },
  reversedLog(liar, { lies }) {
    lies.changeAnswer.push(({ path }, answer) =>
      path.includes('/log?') && liar.isNow ? [...answer].reverse() : undefined,
    );
  },
  async sent(liar, victim) {
    const seq = Math.floor(liar.chance() * 12);
    victim.lies.inject({ type: 'sent', id: await anId(liar, victim), seq, at: new Date().toISOString() });
  },
  async refused(liar, victim) {
    victim.lies.inject({ type: 'refused', id: await anId(liar, victim), code: liar.pick(CODES), error: 'no' });
  },
  async direct(liar, victim) {
    victim.lies.inject({
      ...{
        type: 'direct',
        conversation: liar.pick([liar.id, crypto.randomUUID()]),
        seq: 1,
        sender: liar.other(victim).user,
      },
      ...{ id: await anId(liar, victim), text: 'a lie', at: new Date().toISOString() },
    });
  },
  deleted(liar, { lies }) {
    lies.inject({ type: 'deleted', conversation: liar.id, seq: 1 + Math.floor(liar.chance() * 12) });
  },
  async welcome(liar, victim) {
    const [{ key_package }] = await victim.client.api.call('POST', `users/${victim.user}/key-packages/claim`, {});
    const ghost = await Ghost.open(liar.other(victim).user);
    const welcome = await ghost.create(liar.id, Math.floor(8 * liar.chance()), [key_package]);
    liar.ghosts.push(ghost);
    victim.lies.inject({ ...(await liar.next(victim, { data: welcome })), type: 'welcome' });
  },
  removals(liar, victim) {
    const devices = liar.pick([[liar.other(victim).client.me.device], [victim.client.me.device], ['7fffffffffffffff']]);
    victim.lies.answerRequest.push(({ path }) => (path.endsWith('/removals') && liar.isNow ? { devices } : undefined));
  },
  async left(liar, victim) {
    const sender = liar.other(victim).client.me.device;
    victim.lies.inject(await liar.next(victim, { kind: 'left', epoch: 1, sender }));
  },
  lists(liar, victim) {
    const user = liar.pick(liar.victims).user;
    const lie = liar.pick([
      listOfGhost(user),
      { account_key: 'AAAA', device_list: 'AAAA', signature: 'AAAA' },
      Response.json({ error: 'no list', code: 'no_device_list' }, { status: 404 }),
    ]);
    victim.lies.answerRequest.push(({ method, path }) => {
      if (method !== 'GET' || path !== `users/${user}/device-list` || !liar.isNow) return undefined;
      return lie instanceof Response ? lie.clone() : lie;
    });
    for (const one of liar.victims) victim.lies.inject({ type: 'devices_changed', user: one.user });
  },
  names(liar, { lies }) {
    lies.changeAnswer.push(({ method, path }, answer) => {
      if (method !== 'GET' || path !== 'conversations' || !liar.isNow) return undefined;
      return answer.map((/** @type {any} */ one) => ({
        ...one,
        state: liar.pick(['joined', 'requested']),
        members: one.members
          .map((/** @type {any} */ member) => ({ ...member, username: liar.pick(['alice', 'bob', 'someone']) }))
          .slice(liar.chance() < 0.5 ? 1 : 0),
      }));
    });
    lies.inject({ type: 'members_changed', conversation: liar.id });
  },
  refusedCommits(liar, { lies }) {
    const code = liar.pick(CODES);
    lies.answerRequest.push(({ method, path }) =>
      method === 'POST' && path.endsWith('/commits') && liar.isNow
        ? Response.json({ error: 'no', code }, { status: 409 })
        : undefined,
    );
  },
  swallowedCommits(liar, { lies }) {
    lies.answerRequest.push(({ method, path }) =>
      method === 'POST' && path.endsWith('/commits') && liar.isNow
        ? { seq: 1 + Math.floor(20 * liar.chance()), epoch: 1, at: new Date().toISOString() }
        : undefined,
    );
  },
  swallowedMessages(liar, { lies }) {
    lies.changeSent.push((frame) => {
      if (frame.type !== 'send' || !liar.isNow) return undefined;
      lies.inject({
        type: 'sent',
        id: frame.id,
        seq: 1 + Math.floor(20 * liar.chance()),
        at: new Date().toISOString(),
      });
      return null;
    });
  },
  oldGroupInfo(liar, victim) {
    victim.lies.answerRequest.push(({ path }) => {
      const info = liar.pick(liar.groupInfos);
      if (!path.endsWith('/group-info') || !info || !liar.isNow) return undefined;
      return { epoch: 1, group_info: toBase64(info) };
    });
  },
  garbage(liar, { lies }) {
    lies.inject(
      /** @type {any} */ (
        liar.pick([
          {},
          { type: 'entry' },
          { type: 'welcome', conversation: liar.id },
          { type: 'ready', seq: [] },
          { type: 7 },
          [],
        ])
      ),
    );
  },
};

/** The place after those that the victim has. @param {Liar} liar @param {Victim} victim */
async function seqAfter(liar, victim) {
  const { seq, conversation } = await liar.next(victim, {});
  return { seq, conversation };
}

/** One of them, to one of the two. @param {Liar} liar @returns {Promise<string>} its name */
export async function tellLie(liar) {
  const name = liar.pick(Object.keys(LIES));
  await LIES[name](liar, liar.pick(liar.victims));
  return name;
}
