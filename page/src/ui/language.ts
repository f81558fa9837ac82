// Languages. Everything is said in all of them at once and CSS shows one, so switching asks nobody
// for anything, and nothing has to be said again.

import spoken, { type Saying } from 'spoken';

import { Language } from '../wire/letter.js';
import type { WordList } from '../wire/words.js';
import { fill, make } from './dom.js';

export type { Saying };
export type Code = 'en' | 'zh-Hans' | 'fa' | 'ru' | 'es';

/** A value inside of a saying; a function when it differs by language. */
export type Value = string | ((code: Code) => string);

interface Spoken {
  readonly code: Code;
  readonly number: number;
  readonly dir: 'ltr' | 'rtl';
  /** The official list of words; a language that has none keeps the secret as digits. */
  readonly words: WordList | null;
  /** UTF-8 bytes of a usual character: what the limit of a letter means in this language. */
  readonly bytesPerCharacter: number;
}

export const LANGUAGES: readonly Spoken[] = [
  { code: 'en', number: Language.ENGLISH, dir: 'ltr', words: 'en', bytesPerCharacter: 1 },
  { code: 'zh-Hans', number: Language.CHINESE, dir: 'ltr', words: 'zh-Hans', bytesPerCharacter: 3 },
  { code: 'fa', number: Language.PERSIAN, dir: 'rtl', words: null, bytesPerCharacter: 2 },
  { code: 'ru', number: Language.RUSSIAN, dir: 'ltr', words: null, bytesPerCharacter: 2 },
  { code: 'es', number: Language.SPANISH, dir: 'ltr', words: null, bytesPerCharacter: 1 },
];

// Asked for when it is needed: in the carried shape these bytes run in Workers too, where there is none.
const root = (): HTMLElement => document.documentElement;

export const current = (): Spoken =>
  LANGUAGES.find(({ code }) => code === root().dataset['language']) ?? (LANGUAGES[0] as Spoken);

/** A saying in one language alone. */
export function textIn(
  saying: Saying,
  code: Code,
  values: Readonly<Record<string, Value>> = {},
): string {
  return (spoken[code]?.[saying] ?? saying).replace(/\{(\w+)\}/g, (mark, name: string) => {
    const value = values[name];
    return value === undefined ? mark : typeof value === 'string' ? value : value(code);
  });
}

const directionOf = (code: Code): 'ltr' | 'rtl' =>
  LANGUAGES.find((one) => one.code === code)?.dir ?? 'ltr';

function inAll(write: (code: Code) => string): HTMLElement[] {
  return LANGUAGES.map(({ code }) => {
    const span = make('span', write(code));
    span.lang = code;
    span.dir = directionOf(code);
    return span;
  });
}

/** Say something in an element, in every language; nothing empties it. */
export function say(
  element: HTMLElement,
  saying: Saying | null,
  values: Readonly<Record<string, Value>> = {},
): void {
  fill(element, ...(saying ? inAll((code) => textIn(saying, code, values)) : []));
}

/** A UTC day as a date that people read, in their own calendar (Persian: Solar Hijri). */
export const dateOf =
  (day: number): Value =>
  (code) =>
    new Intl.DateTimeFormat(code, { dateStyle: 'long', timeZone: 'UTC' }).format(day * 86_400_000);

/** A moment by this device's own clock, in milliseconds since 1970. */
export const momentOf =
  (moment: number): Value =>
  (code) =>
    new Intl.DateTimeFormat(code, { dateStyle: 'long', timeStyle: 'short' }).format(moment);

/** From when on a letter leaves whose day is over when this UTC day begins. Where this device's clock is
 * ahead of UTC the day begins hours after its date does, and a visit before that takes no letter along. */
export function startOf(day: number): Value {
  const start = new Date(day * 86_400_000);
  return start.getTimezoneOffset() < 0 ? momentOf(start.getTime()) : dateOf(day);
}

// Dear to make, and asked for with every piece of the film and segment of the board.
const numbers = new Map<Code, Intl.NumberFormat>();

function numbersIn(code: Code): Intl.NumberFormat {
  const own = numbers.get(code) ?? new Intl.NumberFormat(code);
  numbers.set(code, own);
  return own;
}

export const numberOf =
  (value: number | ((code: Code) => number)): Value =>
  (code) =>
    numbersIn(code).format(typeof value === 'number' ? value : value(code));

/** Digits one by one in the language's own signs: no grouping, and zeros in front stay. */
export function digitsOf(digits: string, code: Code): string {
  const own = new Intl.NumberFormat(code, { useGrouping: false });
  return digits.replace(/\d/g, (digit) => own.format(Number(digit)));
}

const titleIn = (code: Code): string =>
  document.querySelector(`article[lang="${code}"]`)?.getAttribute('data-title') ?? document.title;

function show(code: Code): void {
  root().dataset['language'] = code;
  root().lang = code;
  root().dir = directionOf(code);
  document.title = titleIn(code);
  for (const button of document.querySelectorAll<HTMLElement>('button[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset['language'] === code));
  }
}

const isSaying = (key: string): key is Saying => key in (spoken['en'] ?? {});

/** The languages of this campaign: those that its page has a button for. */
const offered = (): readonly Spoken[] =>
  LANGUAGES.filter(({ code }) => document.querySelector(`button[data-language="${code}"]`));

/** Begin in the browser's own language; remembered nowhere. */
export function startLanguages(): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-say]')) {
    const key = element.dataset['say'] ?? '';
    if (isSaying(key)) say(element, key);
  }
  const main = (tag: string): string => tag.toLowerCase().split('-')[0] as string;
  const wanted = navigator.languages.map(main);
  const here = offered();
  const found = wanted.flatMap((tag) => here.filter(({ code }) => main(code) === tag));
  // The document was written in the language that the others are translated from.
  const source = here.find(({ code }) => code === root().lang);
  show((found[0] ?? source ?? (LANGUAGES[0] as Spoken)).code);
  for (const { code } of here) {
    const button = document.querySelector(`button[data-language="${code}"]`);
    button?.addEventListener('click', () => show(code));
  }
}
