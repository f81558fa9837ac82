// Every language says the same things, and every saying that the script uses is there.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path: string): string => readFileSync(path, 'utf8');
const languages = readdirSync('texts');
const texts = new Map(
  languages.map((name) => [name, JSON.parse(read(`texts/${name}`)) as Record<string, string>]),
);
const english = texts.get('en.json') ?? {};

const sources = readdirSync('src', { recursive: true })
  .map(String)
  .filter((name) => /\.(ts|html)$/.test(name))
  .map((name) => read(`src/${name}`))
  .join('\n');

for (const [name, words] of texts) {
  test(`${name} has the keys of en.json, in their order`, () => {
    assert.deepEqual(Object.keys(words), Object.keys(english));
  });
  test(`${name} has the same places to fill in, and no empty text`, () => {
    for (const [key, text] of Object.entries(words)) {
      const places = (one = ''): string[] => (one.match(/\{\w+\}/g) ?? []).sort();
      assert.deepEqual(places(text), places(english[key]), key);
      assert.notEqual(text.trim(), '', key);
    }
  });
}

test('every text is used somewhere', () => {
  const made = ['say.hum.', 'say.film.', 'say.board.', 'say.letter.'];
  const unused = Object.keys(english).filter(
    (key) => !sources.includes(key) && !made.some((start) => key.startsWith(start)),
  );
  assert.deepEqual(unused, []);
});
