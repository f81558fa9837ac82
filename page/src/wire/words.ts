// The secret as a person keeps it: twelve words, or ten groups of four digits. Spec: words.md.
//
// The secret is the 16 bytes, never the string. Errors name the place of a word and never repeat it.

import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist as english } from '@scure/bip39/wordlists/english.js';
import { wordlist as chinese } from '@scure/bip39/wordlists/simplified-chinese.js';

import { sha256 } from '../crypto/derive.js';
import { Refused } from '../refused.js';
import { SECRET } from './sizes.js';

const LISTS = { en: english, 'zh-Hans': chinese } as const;
export type WordList = keyof typeof LISTS;

/** All 2048 words of a list, for picking. */
export const wordsOf = (list: WordList): readonly string[] => LISTS[list];

export const WORDS = 12;
export const DIGITS = 40;
const CHECK = 29n;
const NEITHER = 'That is neither twelve words nor forty digits';
const HYPHENS = /[-\u2010-\u2013]/;
// As the other language has it: what a person cannot see is no difference between the two.
const SPACES = /[\p{White_Space}\x1c-\x1f]+/u;
const UNSEEN = /\p{Cf}/gu;

const sets = Object.values(LISTS).map((list) => ({ list, known: new Set(list) }));

/** Twelve BIP-39 words of 16 bytes (words 1). */
export const toWords = (secret: Uint8Array, list: WordList): string[] =>
  entropyToMnemonic(secret, LISTS[list]).split(' ');

/** Ten groups of four digits (words 2). */
export function toDigits(secret: Uint8Array): string[] {
  const number = big(secret) * CHECK + (big(sha256(secret)) % CHECK);
  return number.toString().padStart(DIGITS, '0').match(/.{4}/g) ?? [];
}

/** The 16-byte secret out of what a person typed, or Refused (words 3, 4). */
export function fromPerson(typed: string): Uint8Array {
  const seen = typed.replace(UNSEEN, '');
  const digits = digitsIn(seen);
  if (digits !== null) return fromDigits(digits);
  const words = split(seen);
  if (words.length !== WORDS) throw new Refused('words 4.1', NEITHER);
  for (const { list, known } of sets) {
    if (words.every((word) => known.has(word))) return fromWords(words, list);
  }
  throw new Refused('words 4.2', 'A word is not in the list', strangerIn(words));
}

/** What was typed so far, word by word or digit by digit. */
export function entered(typed: string): string[] {
  const seen = typed.replace(UNSEEN, '');
  const digits = digitsIn(seen);
  return digits === null ? split(seen) : [...digits];
}

function big(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

function split(typed: string): string[] {
  const words = typed.normalize('NFKD').toLowerCase().split(SPACES).filter(Boolean);
  const run = [...words.join('')];
  const chineseOnly = run.every((sign) => (sign.codePointAt(0) as number) > 0x2e80);
  return words.length !== WORDS && chineseOnly ? run : words;
}

/** The place, counted from 1, of the first stranger in the list that fits best. */
function strangerIn(words: readonly string[]): number {
  const strangers = sets.map(({ known }) =>
    words.flatMap((word, i) => (known.has(word) ? [] : [i + 1])),
  );
  const best = strangers.reduce((a, b) => (b.length < a.length ? b : a));
  return best[0] as number;
}

function fromWords(words: readonly string[], list: string[]): Uint8Array {
  try {
    return mnemonicToEntropy(words.join(' '), list);
  } catch {
    throw new Refused('words 4.3', 'The words do not belong together');
  }
}

/** The digits of what was typed, in any script; null when something else is among them. */
function digitsIn(typed: string): string | null {
  const marks = [...typed].filter((sign) => !SPACES.test(sign) && !HYPHENS.test(sign));
  if (!marks.length || !marks.every(isDigit)) return null;
  return marks.map(digitValue).join('');
}

const isDigit = (sign: string): boolean => /^\p{Nd}$/u.test(sign);

/** Unicode keeps decimal digits in runs of ten that begin with zero. */
function digitValue(sign: string): number {
  const code = sign.codePointAt(0) as number;
  let before = 0;
  while (isDigit(String.fromCodePoint(code - before - 1))) before++;
  return before % 10;
}

function fromDigits(digits: string): Uint8Array {
  if (digits.length !== DIGITS) throw new Refused('words 4.1', NEITHER);
  const value = BigInt(digits);
  let rest = value / CHECK;
  if (rest >= 1n << BigInt(8 * SECRET)) {
    throw new Refused('words 4.4', 'The digits do not belong together');
  }
  const secret = new Uint8Array(SECRET);
  for (let i = SECRET - 1; i >= 0; i--) {
    secret[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  if (big(sha256(secret)) % CHECK !== value % CHECK) {
    throw new Refused('words 4.3', 'The digits do not belong together');
  }
  return secret;
}
