// Every word of every list, and every digit, can be reached by the page's own keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Alphabet, asTyped, keysFor, NOTHING, type Picked, press, taken, undo, wanted } from '../src/picking.js';
import { fromPerson, toDigits, toWords, wordsOf } from '../src/wire/words.js';

/** Everything that can be put down, with how many presses it takes. */
function reachable(alphabet: Alphabet, from: Picked = NOTHING, presses = 1): Map<string, number> {
  const found = new Map<string, number>();
  for (const key of keysFor(alphabet, from)) {
    if (key.puts) found.set(key.label, presses);
    else for (const [word, n] of reachable(alphabet, press(from, key), presses + 1)) found.set(word, n);
  }
  return found;
}

for (const list of ['en', 'zh-Hans'] as const) {
  test(`all 2048 words of ${list} are reachable within four presses`, () => {
    const found = reachable(list);
    assert.deepEqual([...found.keys()].sort(), [...wordsOf(list)].sort());
    assert.ok(Math.max(...found.values()) <= 4);
  });
}

test('a Chinese word stands under the letter that its Pinyin begins with', () => {
  // The first and the last word of each letter, of its 23.
  const ends = '阿奥八部擦错搭朵俄二发覆该过哈霍击菌卡阔拉落妈穆拿诺欧偶爬铺七群然弱撒锁他妥挖雾吸迅压运杂做';
  const letters = [...'ABCDEFGHJKLMNOPQRSTWXYZ'];
  assert.deepEqual(keysFor('zh-Hans', NOTHING).map(({ label }) => label), letters);
  for (const [at, letter] of letters.entries()) {
    const under = keysFor('zh-Hans', press(NOTHING, { label: letter, puts: false }));
    const labels = under.map(({ label }) => label);
    for (const word of [...ends].slice(2 * at, 2 * at + 2)) {
      assert.ok(labels.includes(word), `${word} is not under ${letter}`);
    }
  }
});

test('the ten digits stand there at once', () => {
  assert.deepEqual([...reachable('digits').keys()].sort(), [...'0123456789']);
});

function picked(alphabet: Alphabet, words: readonly string[]): Picked {
  let state = NOTHING;
  for (const word of words) {
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 5);
      const keys = keysFor(alphabet, state);
      const key = keys.find((one) => one.puts && one.label === word)
        ?? keys.find((one) => !one.puts && [...reachable(alphabet, press(state, one)).keys()].includes(word));
      assert.ok(key, word);
      state = press(state, key);
      if (key.puts) break;
    }
  }
  return state;
}

test('what is picked is what a person would have typed', () => {
  const secret = Uint8Array.from({ length: 16 }, (_, i) => i * 11);
  for (const list of ['en', 'zh-Hans'] as const) {
    assert.deepEqual(fromPerson(asTyped(list, picked(list, toWords(secret, list)))), secret);
  }
  const digits = picked('digits', [...toDigits(secret).join('')]);
  assert.deepEqual(fromPerson(asTyped('digits', digits)), secret);
  assert.equal(keysFor('digits', digits).length, 0);
  assert.equal(digits.put.length, wanted('digits'));
});

test('one step back leaves a narrowed choice first, then takes up the last word', () => {
  const state = press(press(NOTHING, { label: 'abandon', puts: true }), { label: 'z', puts: false });
  assert.equal(undo(state).prefix, '');
  assert.equal(undo(state).put.length, 1);
  assert.equal(undo(undo(state)).put.length, 0);
  assert.deepEqual(undo(NOTHING), NOTHING);
});

test('digits of other scripts are read as the same words', () => {
  const secret = new Uint8Array(16).fill(201);
  const persian = toDigits(secret).join(' ').replace(/\d/g, (d) => String.fromCharCode(0x6f0 + Number(d)));
  const arabic = toDigits(secret).join('-').replace(/\d/g, (d) => String.fromCharCode(0x660 + Number(d)));
  assert.deepEqual(fromPerson(persian), secret);
  assert.deepEqual(fromPerson(arabic), secret);
});

test('what was typed is gone on from, and what is no beginning is not', () => {
  assert.deepEqual(taken('en', ''), NOTHING);
  assert.deepEqual(taken('en', ' Abandon\nability '), { put: ['abandon', 'ability'], prefix: '' });
  assert.deepEqual(taken('zh-Hans', '的一'), { put: ['的', '一'], prefix: '' });
  assert.deepEqual(taken('digits', '1234 5'), { put: [...'12345'], prefix: '' });
  assert.deepEqual(taken('digits', '\u06f1\u06f2'), { put: [...'12'], prefix: '' });
  for (const [alphabet, typed] of [
    ['en', 'abandon wallflower'], ['en', '的'], ['en', '1'], ['digits', 'abandon'], ['zh-Hans', 'abandon'],
    ['en', 'abandon '.repeat(13)], ['digits', '1'.repeat(41)],
  ] as const) {
    assert.equal(taken(alphabet, typed), null, typed);
  }
});
