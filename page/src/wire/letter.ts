// The letter: one message of a source, sealed to the desk key of the week. Spec: letter.md.
// A filler is made by the same door: `sealLetter` with `FILLER`.

import { anySet, concat, decodeText, encodeText, padded, toNumber, uint } from '../bytes.js';
import { Unopened } from '../crypto/aead.js';
import * as hpke from '../crypto/hpke.js';
import { Refused } from '../refused.js';
import { LETTER, LETTER_HEADER, LETTER_PLAIN, LETTER_TEXT, MARKS } from './sizes.js';

/** What is inside, as only the desk learns it. */
export const LetterKind = { FILLER: 0, LETTER: 1, LOOP: 2 } as const;
export type LetterKind = (typeof LetterKind)[keyof typeof LetterKind];

/** The language that the writer's page was in (letter 1.4). */
export const Language = {
  UNKNOWN: 0,
  ENGLISH: 1,
  CHINESE: 2,
  PERSIAN: 3,
  RUSSIAN: 4,
  SPANISH: 5,
} as const;

/** The open letter (letter 1.2). */
export interface Letter {
  readonly kind: LetterKind;
  readonly language: number;
  readonly conversation: Uint8Array;
  readonly e: Uint8Array;
  readonly x: Uint8Array;
  readonly week: number;
  readonly mark: number;
  readonly text: string;
  readonly part: number;
  readonly of: number;
}

export const FILLER = new Uint8Array(LETTER_PLAIN);

/** Refuse a text that is empty, over the limit, or holds half a character (letter 3.8). */
export function checkText(text: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) throw new Refused('letter 3.8', 'A sign is no character');
  const bytes = encodeText(text);
  if (bytes.length === 0) throw new Refused('letter 3.8', 'The letter is empty');
  if (bytes.length > LETTER_TEXT) throw new Refused('letter 3.8', 'The letter is too long');
  return bytes;
}

/** LETTER_PLAIN bytes, or Refused when the text does not fit (letter 3.8). */
export function encodeLetter(letter: Letter): Uint8Array {
  const text = checkText(letter.text);
  return concat(
    Uint8Array.of(letter.kind, letter.language),
    uint(text.length, 2),
    letter.conversation,
    letter.e,
    letter.x,
    Uint8Array.of(letter.part, letter.of),
    uint(letter.week, 2),
    Uint8Array.of(letter.mark, 0),
    padded(text, LETTER_TEXT),
  );
}

/** Seal LETTER_PLAIN bytes (`encodeLetter`, or FILLER) to the desk: LETTER bytes. */
export function sealLetter(
  deskKey: Uint8Array,
  entryHash: Uint8Array,
  plain: Uint8Array,
): Promise<Uint8Array> {
  if (plain.length !== LETTER_PLAIN) throw new RangeError("a letter's plaintext has a fixed length");
  return hpke.seal(deskKey, hpke.info('desk', entryHash), plain);
}

/** Open a letter with one living desk key; null is a filler (letter 2, 3.1, 3.2). For vectors and tests. */
export async function openLetter(
  seed: Uint8Array,
  keyWeek: number,
  entryHash: Uint8Array,
  sealed: Uint8Array,
): Promise<Letter | null> {
  if (sealed.length !== LETTER) throw new Refused('letter 3.1', 'A letter has the wrong length');
  let plain: Uint8Array;
  try {
    plain = await hpke.openSealed(seed, hpke.info('desk', entryHash), sealed);
  } catch (error) {
    if (!(error instanceof Unopened)) throw error;
    throw new Refused('letter 3.2', 'A letter opens under no desk key that still lives');
  }
  return parseLetter(plain, keyWeek);
}

/** Read opened bytes under the key of `keyWeek`; null is a filler. For vectors and tests: the page opens no letter. */
export function parseLetter(plain: Uint8Array, keyWeek: number): Letter | null {
  if (plain.length !== LETTER_PLAIN) throw new Refused('letter 3.1', 'A letter has the wrong length');
  const kind = plain[0] as number;
  if (kind === LetterKind.FILLER) {
    if (anySet(plain)) throw new Refused('letter 3.4', 'A filler is not empty');
    return null;
  }
  if (kind !== LetterKind.LETTER && kind !== LetterKind.LOOP) {
    throw new Refused('letter 3.3', "A letter's kind is unknown");
  }
  const text = readText(plain);
  const week = toNumber(plain.slice(86, 88));
  if (week !== keyWeek) throw new Refused('letter 3.6', "A letter names another week than its key's");
  const [part, of] = [plain[84] as number, plain[85] as number];
  const [mark, reserved] = [plain[88] as number, plain[89] as number];
  if (mark >= MARKS || reserved || part < 1 || part > of) {
    throw new Refused('letter 3.7', "A letter's mark or part is out of range");
  }
  const [conversation, e, x] = [plain.slice(4, 20), plain.slice(20, 52), plain.slice(52, 84)];
  return { kind, language: plain[1] as number, conversation, e, x, week, mark, text, part, of };
}

function readText(plain: Uint8Array): string {
  const length = toNumber(plain.slice(2, 4));
  if (length < 1 || length > LETTER_TEXT || anySet(plain.slice(LETTER_HEADER + length))) {
    throw new Refused('letter 3.4', "A letter's length does not fit its text");
  }
  try {
    return decodeText(plain.slice(LETTER_HEADER, LETTER_HEADER + length));
  } catch {
    throw new Refused('letter 3.5', "A letter's text is not UTF-8");
  }
}
