// Whatever bytes come, a reader of the page gives a value or Refused, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Refused } from '../src/refused.js';
import { decodeImage } from '../src/store/image.js';
import { fromPieces } from '../src/store/carrying.js';
import { PLAIN } from '../src/store/image.js';
import { parseHead, parseSegment } from '../src/wire/segment.js';
import { parseCell } from '../src/wire/cell.js';
import { checkText, parseLetter } from '../src/wire/letter.js';
import { parseParcel } from '../src/wire/parcel.js';
import { parseReceipts } from '../src/wire/receipt.js';
import { parseRecord } from '../src/wire/record.js';
import { openPart } from '../src/wire/reply.js';
import { LETTER_PLAIN } from '../src/wire/sizes.js';
import { fromPerson, toDigits, toWords } from '../src/wire/words.js';
import { hex, STRUCTURES, vectorsOf } from './vectors/files.js';

// A small generator with a fixed seed: the same bytes in every run.
let state = 20_778;
const whole = (limit: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};

const READERS: Readonly<Record<string, (data: Uint8Array) => unknown>> = {
  cell: parseCell,
  parcel: parseParcel,
  letter: (data) => parseLetter(data, 125),
  record: parseRecord,
  reply: (data) => openPart(new Uint8Array(32), 125, 0, data),
  receipt: parseReceipts,
  segment: parseSegment,
  head: parseHead,
  words: (data) => fromPerson(new TextDecoder().decode(data)),
  image: decodeImage,
  carried: (data) => fromPieces(new TextDecoder().decode(data)),
};

const good = STRUCTURES.flatMap((structure) =>
  vectorsOf(structure, 'hand').flatMap((one) => (one.bytes ? [hex(one.bytes)] : [])),
);
good.push(new Uint8Array(LETTER_PLAIN), new Uint8Array(PLAIN));

function changed(bytes: Uint8Array): Uint8Array {
  const cut = [0, 0, 0, 1, 16, 64][whole(6)] as number;
  const out = bytes.slice(0, Math.max(0, bytes.length - cut));
  const head = whole(2) ? 120 : out.length;
  for (let n = whole(5); n > 0; n--) out[whole(Math.min(head, out.length))] = whole(256);
  return out;
}

for (const [name, read] of Object.entries(READERS)) {
  test(`${name}: good bytes of any structure with changes are read or refused`, () => {
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const data = changed(good[whole(good.length)] as Uint8Array);
      try {
        read(data);
      } catch (error) {
        assert.ok(error instanceof Refused, `${error}`);
        refused += 1;
      }
    }
    assert.ok(refused > 0);
  });
}

test('half a character is no text, and is refused before anything is sealed', () => {
  for (const text of ['\ud83d', 'a\udc26b', '\udc26\ud83d']) {
    assert.throws(
      () => checkText(text),
      (error: unknown) => error instanceof Refused && error.rule === 'letter 3.8',
    );
  }
  assert.equal(checkText('\ud83d\udc26').length, 4);
});

// tests/wire/test_words.py holds the terminal to the same signs.
const UNSEEN = '\u200c\u200e\u200f\u2067\u2069\u00ad\u2060\ufeff';
const SPACES = '\u0085\x1c\x1f\u1680\u202f\u3000\u2028\n';

test('what nobody sees is passed over among words and digits, and every white space parts', () => {
  const secret = new Uint8Array(16).fill(9);
  const persian = toDigits(secret).map((group) => group.replace(/\d/g, (d) => '۰۱۲۳۴۵۶۷۸۹'[Number(d)] as string));
  for (const shown of [toDigits(secret), persian, toWords(secret, 'en'), toWords(secret, 'zh-Hans')]) {
    for (const sign of UNSEEN) {
      assert.deepEqual(fromPerson(sign + shown.join(`${sign} ${sign}`) + sign), secret);
    }
    for (const sign of SPACES) assert.deepEqual(fromPerson(shown.join(sign)), secret);
  }
});
