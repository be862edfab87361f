// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trustIn } from '../trust/trust-in.js';
import { deletedAhead, emptyConversation, isDeletedAhead } from './changes.js';
import { deleted, fold, receivedBy, references, regrouped } from './reducer.js';

const ME = 'me';
const at = '2026-11-24T12:00:00Z';

/** @typedef {import('../content/index.js').Content} Content */
/** @typedef {import('./reducer.js').Conversation} Conversation */

/** A conversation whose entries are folded as the store does it. */
class Played {
  conversation = emptyConversation('c');
  /** @type {Map<number, import('./reducer.js').Item>} */
  items = new Map();
  seq = 0;

  /** @param {string} user @param {any} content @param {number} [seq] */
  says(user, content, seq = ++this.seq) {
    const of = references(content);
    const target = [...this.items.values()]
      .filter((item) => of.includes(item.id ?? ''))
      .sort((a, b) => b.seq - a.seq)[0];
    const said = { seq, at, sender: { user, device: `${user}'s` }, content: /** @type {Content} */ (content) };
    const { conversation, item } = fold(this.conversation, said, target, ME);
    this.conversation = conversation;
    if (item) this.items.set(item.seq, item);
    return seq;
  }
}

/** @param {string} id @param {string} text */
const text = (id, text) => ({ kind: 'text', id, text });

test('fold_of_edit_reaction_and_delete_is_idempotent', () => {
  const played = new Played();
  const seq = played.says('bob', text('a', 'See you at eight?'));
  played.says('bob', { kind: 'edit', id: 'b', of: 'a', text: 'See you at nine?' });
  played.says(ME, { kind: 'reaction', id: 'c', of: 'a', emoji: '👍' });
  const once = structuredClone([played.conversation, played.items]);
  played.says('bob', { kind: 'edit', id: 'b', of: 'a', text: 'See you at nine?' }, 2);
  played.says(ME, { kind: 'reaction', id: 'c', of: 'a', emoji: '👍' }, 3);
  assert.deepEqual([played.conversation, played.items], once);
  assert.equal(played.items.get(seq)?.text, 'See you at nine?');
  assert.equal(played.conversation.last?.text, 'See you at nine?');
  assert.equal(played.items.get(seq)?.reactions?.[ME].emoji, '👍');
  played.says(ME, { kind: 'reaction', id: 'd', of: 'a', emoji: '' });
  assert.equal(played.items.get(seq)?.reactions?.[ME].emoji, '');
  played.says('bob', { kind: 'delete', id: 'e', of: 'a' });
  assert.deepEqual(played.items.get(seq), { seq, at, user: 'bob', id: 'a', isDeleted: true });
  assert.deepEqual([played.conversation.last?.text, played.conversation.unread], ['', []]);
  played.says('bob', { kind: 'edit', id: 'f', of: 'a', text: 'back again' });
  assert.equal(played.items.get(seq)?.text, undefined, 'a deleted message stays deleted');
});

test('fold_ignores_changes_by_another_user', () => {
  const played = new Played();
  const seq = played.says('bob', text('a', 'mine'));
  played.says('eve', { kind: 'edit', id: 'b', of: 'a', text: 'yours' });
  played.says('eve', { kind: 'delete', id: 'c', of: 'a' });
  const second = played.says('eve', text('a', 'a message with the id of another'));
  assert.equal(played.items.get(seq)?.text, 'mine');
  assert.equal(played.items.get(second)?.id, undefined);
});

test('unread_messages_are_counted_until_read_on_any_device', () => {
  const played = new Played();
  const seqs = ['a', 'b', 'c'].map((id) => played.says('bob', text(id, id)));
  played.says(ME, text('d', 'mine'));
  assert.deepEqual(played.conversation.unread, seqs);
  played.says(ME, { kind: 'receipt', id: 'e', of: ['b'], state: 'delivered' });
  assert.deepEqual(played.conversation.unread, seqs, 'delivered is not read');
  played.says(ME, { kind: 'receipt', id: 'f', of: ['a', 'b'], state: 'read' });
  assert.deepEqual(played.conversation.unread, [seqs[2]]);
  played.says('bob', text('g', 'one more'));
  assert.equal(played.conversation.unread.length, 2);
});

test('message_is_read_when_all_members_have_read_it', () => {
  const played = new Played();
  played.conversation.people = [ME, 'bob', 'carol'].map((id) => ({ id, username: id, role: 'member' }));
  const seq = played.says(ME, text('a', 'hello'));
  const state = () => receivedBy(played.conversation, seq, ME);
  assert.equal(state(), 'sent');
  played.says('bob', { kind: 'receipt', id: 'b', of: ['a'], state: 'read' });
  assert.equal(state(), 'sent');
  played.says('carol', { kind: 'receipt', id: 'c', of: ['a'], state: 'delivered' });
  assert.equal(state(), 'delivered');
  played.says('carol', { kind: 'receipt', id: 'd', of: ['unheard of', 'a'], state: 'read' });
  assert.equal(state(), 'read');
});

test('fold_of_unknown_content_stores_a_hidden_item', () => {
  const played = new Played();
  const raw = { kind: 'poll', id: 'a', question: 'Tea?' };
  const seq = played.says('bob', { kind: 'unknown', id: 'a', raw });
  assert.deepEqual(played.items.get(seq), { seq, at, user: 'bob', isHidden: true, raw });
  assert.deepEqual(played.conversation.unread, []);
});

const leaf = (/** @type {string} */ user, /** @type {string} */ device, thumbprint = device) => ({
  user,
  device,
  thumbprint,
});

test('regrouped_reports_added_removed_and_new_devices', () => {
  const before = {
    ...emptyConversation('c'),
    members: [leaf(ME, '1'), leaf('bob', '2'), leaf('carol', '3')],
    verified: { bob: ['2'] },
  };
  assert.equal(trustIn(before, 'bob'), 'verified');
  const { conversation, notice } = regrouped(
    before,
    [leaf(ME, '1'), leaf('bob', '2', 'another'), leaf('dora', '4')],
    'bob',
  );
  assert.deepEqual(notice, {
    what: 'members',
    by: 'bob',
    added: ['dora'],
    removed: ['carol'],
    devices: [{ user: 'bob', device: '2' }],
  });
  assert.deepEqual([trustIn(conversation, 'bob'), trustIn(conversation, 'dora')], ['changed', 'unknown']);
  assert.equal(regrouped(conversation, conversation.members, 'bob').notice, null);
  const without = regrouped(
    { ...before, members: [...before.members, leaf('bob', '5')], verified: { bob: ['2', '5'] } },
    before.members,
    'bob',
  );
  assert.equal(trustIn(without.conversation, 'bob'), 'verified', 'a removed device changes no trust');
  const left = regrouped({ ...before, leaving: ['carol'] }, [leaf(ME, '1'), leaf('bob', '2')], 'bob');
  assert.deepEqual(
    [left.notice, left.conversation.leaving],
    [null, []],
    'a member who left is not shown as removed too',
  );
  const waits = regrouped({ ...before, leaving: ['carol'] }, before.members, 'bob');
  assert.deepEqual(waits.conversation.leaving, ['carol'], 'until the commit that removes them');
  const again = regrouped(waits.conversation, [...before.members, leaf('carol', '4')], 'bob');
  assert.deepEqual(
    regrouped(again.conversation, [leaf(ME, '1'), leaf('bob', '2')], 'bob').notice?.removed,
    ['carol'],
    'who was taken in again and goes is removed',
  );
});

test('group_name_is_the_last_in_the_log', () => {
  const played = new Played();
  played.says(ME, { kind: 'group', id: 'a', name: 'Mine' }, 10);
  played.says('bob', { kind: 'group', id: 'b', name: 'His' }, 9);
  assert.equal(played.conversation.name, 'Mine');
  played.says('bob', { kind: 'group', id: 'c', name: 'His' }, 11);
  assert.equal(played.conversation.name, 'His');
});

test('deleting_the_newest_message_empties_the_preview', () => {
  const played = new Played();
  const seq = played.says('bob', text('a', 'too much'));
  const after = deleted(played.conversation, /** @type {any} */ (played.items.get(seq)));
  assert.equal(after.conversation.last?.text, '');
});

test('user_whose_last_device_said_that_it_leaves_may_come_back', () => {
  const before = [leaf(ME, '1'), leaf('bob', '2'), leaf('bob', '3')];
  /** @param {string[]} released @param {import('../mls/core-crypto.js').Member[]} members */
  const absent = (released, members) =>
    regrouped({ ...emptyConversation('c'), members: before, released }, members, ME).conversation.absent;
  assert.deepEqual(absent(['2', '3'], [leaf(ME, '1')]), ['bob']);
  assert.deepEqual(absent(['2'], [leaf(ME, '1')]), [], 'the other device was removed on purpose');
  assert.deepEqual(absent(['2'], [leaf(ME, '1'), leaf('bob', '3')]), [], 'bob is still there');
  assert.deepEqual(absent(['bob'], [leaf(ME, '1')]), [], 'the user has left');
});

test('removed_user_does_not_come_back_by_themselves', () => {
  const [mine, bobs] = [leaf(ME, '1'), leaf('bob', '2')];
  const absent = { ...emptyConversation('c'), members: [mine], absent: ['bob'] };
  const comesBack = (/** @type {import('./reducer.js').Conversation} */ before, isByMember = false) =>
    regrouped(before, [mine, bobs], 'bob', { isByMember }).conversation;
  const removal = { kind: /** @type {const} */ ('removal'), id: 'a', user: 'bob' };
  const isRemoved = (/** @type {import('./reducer.js').Conversation} */ conversation) => {
    const said = { seq: 9, at, sender: { user: 'carol', device: '3' }, content: removal };
    return fold(conversation, said, undefined, ME).conversation;
  };
  assert.deepEqual(comesBack(absent).strangers, [], 'bob had logged out');
  assert.deepEqual(comesBack(isRemoved(absent)).strangers, ['bob']);
  assert.deepEqual(comesBack(isRemoved(absent), true).strangers, [], 'a member adds bob');
  assert.deepEqual(isRemoved(comesBack(absent)).strangers, ['bob'], 'the server shows the removal late');
  assert.deepEqual(isRemoved(comesBack(absent, true)).strangers, [], 'a member has added bob');
  assert.deepEqual(isRemoved({ ...absent, strangers: ['carol'] }).absent, ['bob'], 'the word of a stranger');
});

test('deletions_ahead_of_one_user_leave_room_for_those_of_others', () => {
  const many = (/** @type {import('./reducer.js').Conversation} */ before, /** @type {string} */ user, count = 300) =>
    Array.from({ length: count }, (_, nth) => `${nth}`).reduce((one, id) => deletedAhead(one, user, id), before);
  const flooded = many(deletedAhead(emptyConversation('c'), 'bob', 'first'), 'mallory');
  assert.ok(isDeletedAhead(flooded, 'bob', 'first'), 'of another user');
  assert.ok(isDeletedAhead(flooded, 'mallory', '299'), 'the newest');
  assert.equal(flooded.deletedAhead?.length, 101);
  const users = Array.from({ length: 20 }, (_, nth) => `user ${nth}`);
  const all = users.reduce((one, user) => many(one, user, 100), emptyConversation('c'));
  assert.equal(all.deletedAhead?.length, 1000, 'of all');
});
