// The panel for writing: words, a letter, and sealing it. It works offline and makes no request.

import { encodeText } from '../bytes.js';
import { Refused } from '../refused.js';
import type { Session } from '../session.js';
import { LETTER_TEXT, SECRET } from '../wire/sizes.js';
import { fromPerson, toDigits, toWords } from '../wire/words.js';
import { fill, find, make, paragraph } from './dom.js';
import { sayFault } from './faults.js';
import { Field } from './field.js';
import { type Code, current, dateOf, LANGUAGES, numberOf, say } from './language.js';

/** Resolves with whether the store kept what is in it now: at its next turn of the clock. */
export type Kept = () => Promise<boolean>;

const inUnits = (bytes: number, code: Code): number =>
  Math.floor(bytes / (LANGUAGES.find((one) => one.code === code)?.bytesPerCharacter ?? 1));

export class WritePanel {
  readonly #letter = new Field('letter');
  readonly #own = new Field('own-field');
  readonly #noted = find('noted', HTMLInputElement);
  readonly #finish = find('finish', HTMLButtonElement);
  #made: Uint8Array | null = null;

  constructor(
    readonly session: Session,
    readonly kept: Kept,
  ) {
    find('new-words', HTMLButtonElement).addEventListener('click', () => this.#makeWords());
    find('own-words', HTMLButtonElement).addEventListener('click', () => this.#open('own'));
    this.#letter.onInput(() => this.#count());
    this.#finish.addEventListener('click', () => void this.#seal());
    this.#count();
  }

  #open(which: 'new' | 'own' | null): void {
    for (const name of ['new', 'own'] as const) {
      find(`${name}-panel`, HTMLElement).hidden = name !== which;
      find(`${name}-words`, HTMLElement).setAttribute('aria-expanded', String(name === which));
    }
    say(paragraph('words-fault'), null);
    if (which !== 'new') this.#forgetMade();
    if (which === 'own') this.#own.focus();
    else this.#own.clear();
  }

  #makeWords(): void {
    const secret = this.session.draw(SECRET);
    this.#open('new');
    this.#made = secret;
    this.#noted.checked = false;
    const lists = LANGUAGES.map(({ code, words }) => {
      const list = make('ol');
      list.lang = code;
      list.append(...toWords(secret, words).map((word) => make('li', word)));
      return list;
    });
    fill(paragraph('shown-words'), ...lists);
    fill(paragraph('shown-digits'), ...toDigits(secret).map((group) => make('span', group)));
  }

  #forgetMade(): void {
    this.#made = null;
    this.#noted.checked = false;
    fill(paragraph('shown-words'));
    fill(paragraph('shown-digits'));
  }

  /** How much is left, in characters of the language; over the limit is said as such. */
  #count(): void {
    const left = LETTER_TEXT - encodeText(this.#letter.text).length;
    const limit = numberOf((code) => inUnits(LETTER_TEXT, code));
    say(paragraph('count'), 'say.count', {
      left: numberOf((code) => Math.max(0, inUnits(left, code))),
      limit,
    });
    const over = numberOf((code) => Math.max(1, -inUnits(left, code)));
    say(paragraph('letter-fault'), left < 0 ? 'say.over' : null, { over, limit });
    this.#letter.invalid = left < 0;
  }

  #secret(): Uint8Array | null {
    const fault = paragraph('words-fault');
    say(fault, null);
    if (this.#made) {
      if (this.#noted.checked) return this.#made;
      say(fault, 'say.words.unnoted');
      this.#noted.focus();
      return null;
    }
    if (!this.#own.text.trim()) {
      say(fault, 'say.words.missing');
      find('new-words', HTMLButtonElement).focus();
      return null;
    }
    try {
      return fromPerson(this.#own.text);
    } catch (error) {
      sayFault(fault, error);
      this.#own.focus();
      return null;
    }
  }

  async #seal(): Promise<void> {
    const text = this.#letter.text;
    this.#count();
    say(paragraph('letter-status'), null);
    if (encodeText(text).length > LETTER_TEXT) return this.#letter.focus();
    const secret = this.#secret();
    if (!secret) return;
    this.#finish.disabled = true;
    try {
      const day = await this.session.keepLetter(secret, text, current().number);
      this.#letter.clear();
      this.#count();
      this.#open(null);
      void this.#tell(day);
    } catch (error) {
      sayFault(paragraph('letter-fault'), error);
      if (error instanceof Refused && error.rule === 'letter 3.8') this.#letter.focus();
    } finally {
      this.#finish.disabled = false;
    }
  }

  async #tell(day: number): Promise<void> {
    const status = paragraph('letter-status');
    say(status, 'say.letter.keeping');
    const kept = await this.kept();
    say(status, kept ? 'say.letter.kept' : 'say.letter.unkept', { date: dateOf(day) });
  }
}
