// @ts-check
/** The catalogues have the same messages, and no component has a text of its own. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import ts from 'typescript';
import { PASSING } from '../../client/mls/errors.js';
import { de } from './de.js';
import { errorText } from './errors.js';
import { dayOf } from './format.js';
import { en } from './en.js';
import { language, locale, onLanguage, t, useLanguage } from './index.js';

const APP = new URL('../', import.meta.url);
const BRANDS = ['Sottovoce'];
/** Strings that look like a text but are not shown, or are the same in every language. */
const ALLOWED = [
  'link.js: CallFailed', // the name of a class
  'messages/errors.js: cannot reach ', // the beginning of an error's message
  'messages/index.js: English',
  'messages/index.js: Deutsch',
  'features/welcome/welcome.js: Welcome', // what the server says by default; not shown
];
/** Same in both languages, and rightly so. */
const SAME = [
  'welcome.inviteCode', 'notifications.pageTitle', 'composer.emoji', 'conversations.said', 'settings.zoom',
  'newConversation.byName', 'newConversation.byCode', 'details.person', 'details.admin',
]; // prettier-ignore

/**
 * Each message with its path: `conversations.unread`.
 * @param {object} catalogue @param {string} [path] @returns {[string, string | Function][]}
 */
function messagesOf(catalogue, path = '') {
  return Object.entries(catalogue).flatMap(([key, value]) =>
    typeof value === 'object' ? messagesOf(value, `${path}${key}.`) : [[`${path}${key}`, value]],
  );
}

/**
 * The texts of a message for several arguments; every parameter has to show.
 * @param {string} path @param {string | Function} message
 */
function textsOf(path, message) {
  if (typeof message === 'string') return [message];
  const names =
    /^\(?([^)=]*)\)?\s*=>/
      .exec(message.toString())?.[1]
      .split(',')
      .map((name) => name.trim()) ?? [];
  assert.equal(names.length, message.length, path);
  return [1, 2].map((number) => {
    const given = names.map((name) => {
      if (/^(count|minutes|more|length)$/.test(name)) return 70 + number;
      return /^(names|people)$/.test(name) ? Array.from({ length: number }, (_, at) => `Q${name}${at}Q`) : `Q${name}Q`;
    });
    const text = message(...given);
    for (const part of given.flat()) assert.ok(text.includes(String(part)), `${path} leaves out ${part}: ${text}`);
    return text;
  });
}

test('both catalogues have the same messages with the same parameters', () => {
  const shape = (/** @type {object} */ catalogue) =>
    messagesOf(catalogue).map(([path, message]) => `${path}(${typeof message === 'string' ? '' : message.length})`);
  assert.deepEqual(shape(de), shape(en));
});

test('every message shows its parameters, and is a text', () => {
  for (const catalogue of [en, de]) {
    for (const [path, message] of messagesOf(catalogue)) {
      for (const text of textsOf(path, message)) assert.match(text, /\S/, path);
    }
  }
});

test('no German message is still the English one', () => {
  const english = new Map(messagesOf(en));
  const same = messagesOf(de).filter(([path, text]) => {
    const other = english.get(path);
    return typeof text === 'string' ? text === other : text.toString() === other?.toString();
  });
  const paths = same.map(([path]) => path).filter((path) => !SAME.includes(path));
  assert.deepEqual(paths, []);
});

test('the language is the first of the browser that there is, or the one of the settings', () => {
  let changes = 0;
  const stop = onLanguage(() => changes++);
  assert.equal(useLanguage('system', ['fr-FR', 'de-AT', 'en-GB']), 'de');
  assert.deepEqual([language, locale, t.composer.send], ['de', 'de-AT', 'Senden']);
  assert.equal(dayOf(new Date().toISOString()), 'Heute');
  assert.equal(errorText({ code: 'taken' }), de.errors.taken);
  assert.equal(useLanguage('en', ['de-AT', 'en-GB']), 'en');
  assert.deepEqual([language, locale, t.composer.send], ['en', 'en-GB', 'Send']);
  assert.equal(useLanguage('system', ['fr']), 'en');
  assert.equal(useLanguage('de', ['en']), 'de');
  assert.equal(locale, 'de');
  stop();
  assert.equal(useLanguage('en', []), 'en');
  assert.equal(changes, 4);
});

test('an error is a sentence, whatever it was', () => {
  for (const code of Object.keys(en.errors)) assert.match(errorText({ code }), /^[A-Z][^{}_]+\.$/);
  const library = Object.assign(new Error('DOMException: 0x80'), { code: 'EFAIL' });
  for (const error of [library, null, undefined, 'text', { code: 'toString' }, new TypeError('x is undefined')]) {
    assert.equal(errorText(error), en.unknownError);
  }
  assert.equal(errorText({ code: 'new_code', status: 503 }), en.errors.busy);
  assert.equal(errorText({ code: 'forged_key_package', status: 502 }), en.errors.forged_key_package);
  assert.equal(errorText({ code: 'invalid', status: 400 }, { invalid: 'Here.' }), 'Here.');
  assert.equal(errorText({ code: 'too_many', status: 429, retryAfterS: 600 }), en.tooManyFor(10));
  assert.equal(errorText(new Error('cannot reach http://x: ECONNREFUSED')), en.errors.unreachable);
});

/** Attributes that a person reads or hears. */
const READ = /\s(aria-label|title|placeholder|alt|heading)=["']([^"']*)["']/g;
/**
 * Literals in a source that would be shown to a person: text and read attributes of templates, and strings elsewhere
 * that begin like a sentence or contain words with spaces.
 * @param {string} file @param {string} source @returns {string[]}
 */
function literalsOf(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  /** @type {string[]} */
  const found = [];
  const hasLetters = (/** @type {string} */ text) => /\p{L}{2}/u.test(text.replace(/&\w+;/g, ''));

  /** @param {ts.TaggedTemplateExpression} node */
  function template({ template: parts }) {
    const texts = ts.isNoSubstitutionTemplateLiteral(parts)
      ? [parts.text]
      : [parts.head.text, ...parts.templateSpans.map(({ literal }) => literal.text)];
    // A substitution stands as \u0001: the tags around it stay whole.
    const whole = texts.join('\u0001');
    for (const tag of whole.matchAll(/<[^>]*>/g)) {
      for (const [, name, value] of tag[0].matchAll(READ)) {
        if (hasLetters(value)) found.push(`${file}: ${name}="${value}"`);
      }
    }
    const lines = whole.replace(/<!--.*?-->|<[^>]*>/gs, '\n').replaceAll('\u0001', '\n');
    for (const text of lines.split('\n')) {
      if (hasLetters(text) && !BRANDS.includes(text.trim())) found.push(`${file}: ${text.trim()}`);
    }
  }

  /** @param {ts.Node} node */
  function visit(node) {
    if (ts.isTaggedTemplateExpression(node)) {
      const tag = node.tag.getText();
      if (tag === 'html') template(node);
      if (tag !== 'html') return;
    } else if (ts.isThrowStatement(node) || ts.isImportDeclaration(node)) {
      return; // for developers
    } else if (ts.isCallExpression(node) && INTERNAL.test(node.expression.getText())) {
      return;
    } else if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      if (isForPeople(node)) found.push(`${file}: ${node.text}`);
    }
    ts.forEachChild(node, visit);
  }

  visit(tree);
  return found;
}

const INTERNAL = /^console\.|\.(querySelector(All)?|closest|matches)$|^matchMedia$/; // calls with a selector, or a log
const KEYS = /^(Arrow(Up|Down|Left|Right)|Enter|Escape|Tab|Home|End|ContextMenu|DELETE)$/;
/** Names of events and of the state, which have spaces, and of fonts and files. */
const NAMES = /^(logged out|start failed|typing expired|window requested|toast expired|image\/[\w/,.-]+|sottovoce .*)$/;

/** @param {ts.StringLiteral | ts.NoSubstitutionTemplateLiteral} node */
function isForPeople(node) {
  const { text } = node;
  if (ts.isTaggedTemplateExpression(node.parent) || BRANDS.includes(text)) return false;
  if (KEYS.test(text) || NAMES.test(text)) return false;
  if (ts.isPropertyAssignment(node.parent) && node.parent.name === node) return false;
  return /^\p{Lu}\p{Ll}+/u.test(text) || /\p{L}{2,} \p{L}{2,}/u.test(text);
}

test('a component has no text of its own', async () => {
  const planted =
    'html`<p title="Close it">Hello ${x} there ${y ? "Edited" : ""}</p>`; toast("Not sent"); f("Copied");';
  assert.equal(literalsOf('planted.js', planted).length, 6); // it finds what there is to find
  const all = await readdir(APP, { recursive: true });
  const files = all.filter((name) => /(?<!\.test)\.js$/.test(name) && !/^messages\/(en|de)\.js$/.test(name));
  assert.ok(files.length > 40);
  const read = files.map(async (name) => literalsOf(name, await readFile(new URL(name, APP), 'utf8')));
  const found = (await Promise.all(read)).flat();
  assert.deepEqual(found.sort(), ALLOWED.toSorted());
});

test('every_error_of_the_client_has_a_text', async () => {
  const client = new URL('../client/', APP);
  const codes = new Set(PASSING);
  for (const name of await readdir(client, { recursive: true })) {
    if (!name.endsWith('.js') || name.endsWith('.test.js')) continue;
    const source = await readFile(new URL(name, client), 'utf8');
    for (const [, code] of source.matchAll(/(?:new Refused\(\d+, |new HeldBack\()'([a-z_]+)'/g)) codes.add(code);
  }
  assert.ok(codes.has('new_readers') && codes.has('number_changed'), 'the search finds them');
  const known = Object.keys(en.errors);
  assert.deepEqual(
    [...codes].filter((code) => !known.includes(code)),
    [],
  );
});
