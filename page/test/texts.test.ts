// Every language says the same things, nothing is left in another, and every saying is used.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { segmentSize } from '../src/wire/segment.js';
import { BOARD_SEGMENTS } from '../src/wire/sizes.js';

interface Texts {
  readonly texts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly spokenTypes: string;
  readonly faultsOf: (
    code: string,
    catalogue: Readonly<Record<string, string>>,
    english: Readonly<Record<string, string>>,
  ) => readonly string[];
}

// Loading it is the first test: a catalogue that is not whole throws.
const made = (await import(pathToFileURL('tools/texts.mjs').href)) as Texts;
const { texts, spokenTypes, faultsOf } = made;
const english = texts['en'] ?? {};
const read = (path: string): string => readFileSync(path, 'utf8');

const sources = readdirSync('src', { recursive: true })
  .map(String)
  .filter((name) => /\.(ts|html)$/.test(name) && !name.endsWith('spoken.d.ts'))
  .map((name) => read(`src/${name}`))
  .join('\n');

test('there are five languages with the same texts', () => {
  assert.deepEqual(Object.keys(texts), ['en', 'zh-Hans', 'fa', 'ru', 'es']);
  for (const all of Object.values(texts)) {
    assert.deepEqual(Object.keys(all).sort(), Object.keys(english).sort());
  }
});

test('the types of what is said are those of the catalogues', () => {
  assert.equal(read('src/ui/spoken.d.ts'), spokenTypes);
});

test('every text is used somewhere', () => {
  const patterns = ['say.hum.', 'say.film.', 'say.board.', 'say.pick.', 'foot.'];
  const unused = Object.keys(english).filter(
    (key) => !sources.includes(key) && !patterns.some((start) => key.startsWith(start)),
  );
  assert.deepEqual(unused, []);
});

test('a text that is missing, left in English, or in another script stops the build', () => {
  const persian = texts['fa'] ?? {};
  assert.deepEqual(faultsOf('fa', persian, english), []);
  for (const wrong of ['', 'Write a letter', '写一封信', 'نامه letter']) {
    assert.equal(faultsOf('fa', { ...persian, write: wrong }, english).length, 1, wrong);
  }
  const unfilled = { ...persian, 'say.count': 'نویسه' };
  assert.equal(faultsOf('fa', unfilled, english).length, 1);
  assert.equal(faultsOf('en', { ...english, write: 'نامه' }, english).length, 1);
});

test('Persian texts use Persian letters and digits, not the Arabic ones', () => {
  for (const [key, text] of Object.entries(texts['fa'] ?? {})) {
    assert.ok(!/[\u0643\u064a\u0660-\u0669]/.test(text), key);
    assert.ok(!/[0-9]/.test(text.replace(/\{\w+\}/g, '')), `${key} has western digits`);
  }
});

test('what a visit fetches is not said to be the least that a board can have', () => {
  const largest = BOARD_SEGMENTS * segmentSize(16 * 13, 16 * 100);
  assert.ok(largest > 15_000_000, 'the organisation may raise it by two steps');
  assert.match(english['film.consent'] as string, /1 MB of answers or more/);
});
