// Picking words and digits by buttons, so that no keyboard sees them. Pure: which keys stand there
// after what was pressed. `ui/picker.ts` shows them.

import { DIGITS, entered, type WordList, wordsOf, WORDS } from './wire/words.js';

export type Alphabet = 'digits' | WordList;

/** What a key does: narrow the choice, or put a word or digit down. */
export interface Key {
  readonly label: string;
  readonly puts: boolean;
}

export interface Picked {
  readonly put: readonly string[];
  readonly prefix: string;
}

export const NOTHING: Picked = { put: [], prefix: '' };

/** With so few words left they stand there themselves. */
const FEW = 12;

export const wanted = (alphabet: Alphabet): number => (alphabet === 'digits' ? DIGITS : WORDS);

/** What was typed, as if it had been picked; null where that is no beginning in this alphabet. */
export function taken(alphabet: Alphabet, typed: string): Picked | null {
  const put = entered(typed);
  const known = alphabet === 'digits' ? [...'0123456789'] : wordsOf(alphabet);
  const fits = put.length <= wanted(alphabet) && put.every((one) => known.includes(one));
  return fits ? { put, prefix: '' } : null;
}

/** The keys after what was picked so far; none when all is there. */
export function keysFor(alphabet: Alphabet, picked: Picked): readonly Key[] {
  if (picked.put.length >= wanted(alphabet)) return [];
  if (alphabet === 'digits') return [...'1234567890'].map((label) => ({ label, puts: true }));
  if (alphabet === 'zh-Hans') return chineseKeys(picked.prefix);
  const words = wordsOf(alphabet).filter((word) => word.startsWith(picked.prefix));
  if (words.length <= FEW) return words.map((label) => ({ label, puts: true }));
  const narrower = new Set(words.map((word) => word.slice(0, picked.prefix.length + 1)));
  return [...narrower].map((label) => {
    const whole = words.filter((word) => word.startsWith(label));
    return whole.length === 1 && whole[0] ? { label: whole[0], puts: true } : { label, puts: false };
  }).concat(words.includes(picked.prefix) ? [{ label: picked.prefix, puts: true }] : []);
}

/** What is picked after a key was pressed. */
export const press = (picked: Picked, key: Key): Picked =>
  key.puts ? { put: [...picked.put, key.label], prefix: '' } : { ...picked, prefix: key.label };

/** One step back: out of a narrowed choice, or the last that was put down. */
export const undo = (picked: Picked): Picked =>
  picked.prefix ? { ...picked, prefix: '' } : { put: picked.put.slice(0, -1), prefix: '' };

/** What was picked, as a person would have typed it. */
export const asTyped = (alphabet: Alphabet, { put }: Picked): string =>
  alphabet === 'digits' ? (put.join('').match(/.{1,4}/g) ?? []).join(' ') : put.join(' ');

// Characters that begin each letter of Pinyin in the collation of Chinese, all with one reading: where
// one of two (as 呒) is sorted by the other, letters before it stand empty. In a browser without that
// collation characters land under other letters, and each still under exactly one.
const BEGINNERS = [...'阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨他穵夕丫帀'];
const LETTERS = [...'ABCDEFGHJKLMNOPQRSTWXYZ'];
const collation = new Intl.Collator('zh-Hans-u-co-pinyin');

function letterOf(character: string): string {
  let at = 0;
  BEGINNERS.forEach((first, i) => {
    if (collation.compare(character, first) >= 0) at = i;
  });
  return LETTERS[at] as string;
}

let byLetter: ReadonlyMap<string, readonly string[]> | null = null;

function chinese(): ReadonlyMap<string, readonly string[]> {
  if (byLetter) return byLetter;
  const all = new Map<string, string[]>(LETTERS.map((letter) => [letter, []]));
  for (const character of wordsOf('zh-Hans')) all.get(letterOf(character))?.push(character);
  for (const characters of all.values()) characters.sort(collation.compare);
  byLetter = all;
  return all;
}

function chineseKeys(prefix: string): readonly Key[] {
  const letters = chinese();
  const under = letters.get(prefix);
  if (under) return under.map((label) => ({ label, puts: true }));
  return [...letters].filter(([, characters]) => characters.length)
    .map(([label]) => ({ label, puts: false }));
}
