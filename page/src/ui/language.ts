// Languages. Everything is said in all of them at once and CSS shows one, so switching asks nobody
// for anything, and nothing has to be said again.

import spoken from 'spoken';

import type en from '../../texts/en.json';
import { Language } from '../wire/letter.js';
import type { WordList } from '../wire/words.js';
import { fill, make } from './dom.js';

export type Code = 'en' | 'zh-Hans';
export type Saying = Extract<keyof typeof en, `say.${string}`>;

/** A value inside of a saying; a function when it differs by language. */
export type Value = string | ((code: Code) => string);

interface Spoken {
  readonly code: Code;
  readonly number: number;
  readonly words: WordList;
  /** UTF-8 bytes of a usual character: what the limit of a letter means in this language. */
  readonly bytesPerCharacter: number;
}

export const LANGUAGES: readonly Spoken[] = [
  { code: 'en', number: Language.ENGLISH, words: 'en', bytesPerCharacter: 1 },
  { code: 'zh-Hans', number: Language.CHINESE, words: 'zh-Hans', bytesPerCharacter: 3 },
];

const root = document.documentElement;

export const current = (): Spoken =>
  LANGUAGES.find(({ code }) => code === root.dataset['language']) ?? (LANGUAGES[0] as Spoken);

function text(saying: Saying, code: Code, values: Readonly<Record<string, Value>>): string {
  return (spoken[code]?.[saying] ?? saying).replace(/\{(\w+)\}/g, (mark, name: string) => {
    const value = values[name];
    return value === undefined ? mark : typeof value === 'string' ? value : value(code);
  });
}

function inAll(write: (code: Code) => string): HTMLElement[] {
  return LANGUAGES.map(({ code }) => {
    const span = make('span', write(code));
    span.lang = code;
    return span;
  });
}

/** Say something in an element, in every language; nothing empties it. */
export function say(
  element: HTMLElement,
  saying: Saying | null,
  values: Readonly<Record<string, Value>> = {},
): void {
  fill(element, ...(saying ? inAll((code) => text(saying, code, values)) : []));
}

/** A UTC day as a date that people read. */
export const dateOf =
  (day: number): Value =>
  (code) =>
    new Intl.DateTimeFormat(code, { dateStyle: 'long', timeZone: 'UTC' }).format(day * 86_400_000);

export const numberOf =
  (value: number | ((code: Code) => number)): Value =>
  (code) =>
    new Intl.NumberFormat(code).format(typeof value === 'number' ? value : value(code));

const titles: Readonly<Record<Code, string>> = {
  en: document.title,
  'zh-Hans': document.querySelector('h1 [lang="zh-Hans"]')?.textContent ?? document.title,
};

function show(code: Code): void {
  root.dataset['language'] = code;
  root.lang = code;
  document.title = titles[code];
  for (const button of document.querySelectorAll<HTMLElement>('button[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset['language'] === code));
  }
}

/** Begin in the browser's own language; remembered nowhere. */
export function startLanguages(): void {
  const wanted = navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag)) ?? 'en';
  show(/^zh\b/i.test(wanted) ? 'zh-Hans' : 'en');
  for (const { code } of LANGUAGES) {
    const button = document.querySelector(`button[data-language="${code}"]`);
    button?.addEventListener('click', () => show(code));
  }
}
