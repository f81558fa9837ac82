// The panel for writing: words, a letter, and sealing it. It works offline and makes no request.

import { encodeText } from '../bytes.js';
import { Refused } from '../refused.js';
import type { Session } from '../session.js';
import type { Slot } from '../store/image.js';
import type { Keeper } from '../store/keeper.js';
import { LETTER_TEXT, SECRET } from '../wire/sizes.js';
import { fromPerson, toDigits, toWords, type WordList } from '../wire/words.js';
import { fill, find, make, paragraph } from './dom.js';
import { sayFault } from './faults.js';
import { Field } from './field.js';
import {
  type Code,
  current,
  digitsOf,
  LANGUAGES,
  numberOf,
  say,
  startOf,
  textIn,
} from './language.js';
import { Picker } from './picker.js';
import { sayKept, type Waiting } from './waiting.js';

/** With so many bytes left a screen reader says how many characters that is: a tenth, then a fiftieth. */
const NEAR = [LETTER_TEXT / 10, LETTER_TEXT / 50];
const nearness = (left: number): number => NEAR.filter((bytes) => left <= bytes).length;

const inUnits = (bytes: number, code: Code): number =>
  Math.floor(bytes / (LANGUAGES.find((one) => one.code === code)?.bytesPerCharacter ?? 1));

export class WritePanel {
  readonly #letter = new Field('letter');
  readonly #own = new Field('own-field');
  readonly #picker = new Picker('own', this.#own);
  readonly #noted = find('noted', HTMLInputElement);
  readonly #finish = find('finish', HTMLButtonElement);
  #made: Uint8Array | null = null;
  /** How many bytes were left when that was said last; less than none over the limit. */
  #left = LETTER_TEXT;
  /** How many times everything was forgotten here: a letter that is sealed meanwhile is not spoken of. */
  #forgotten = 0;

  constructor(
    readonly session: Session,
    readonly keeper: Keeper,
    readonly waiting: Waiting,
    readonly today: () => number,
  ) {
    find('new-words', HTMLButtonElement).addEventListener('click', () => this.#makeWords());
    find('own-words', HTMLButtonElement).addEventListener('click', () => this.#open('own'));
    this.#noted.addEventListener('change', () => say(paragraph('words-fault'), null));
    this.#letter.onInput(() => this.#count());
    // Who comes to the letter hears how much fits, unless it is over the limit, which describes the field.
    this.#letter.onFocus(() => this.#sayLeft(this.#left >= 0));
    this.#finish.addEventListener('click', () => void this.#seal());
    this.#count('');
  }

  #open(which: 'new' | 'own' | null): void {
    for (const name of ['new', 'own'] as const) {
      find(`${name}-panel`, HTMLElement).hidden = name !== which;
      find(`${name}-words`, HTMLElement).setAttribute('aria-expanded', String(name === which));
    }
    say(paragraph('words-fault'), null);
    if (which !== 'new') this.#forgetMade();
    // The field is not given the focus: that would call up the keyboard that the picker avoids.
    if (which === 'own') find('own-pick', HTMLButtonElement).focus();
    else {
      this.#picker.close();
      this.#own.clear();
    }
  }

  #makeWords(): void {
    const secret = this.session.draw(SECRET);
    this.#open('new');
    this.#made = secret;
    this.#noted.checked = false;
    const lists = LANGUAGES.flatMap(({ code, words }) => (words ? [inWords(secret, code, words)] : []));
    fill(paragraph('shown-words'), ...lists);
    fill(paragraph('shown-digits'), ...LANGUAGES.map(({ code }) => inDigits(secret, code)));
  }

  #forgetMade(): void {
    this.#made = null;
    this.#noted.checked = false;
    fill(paragraph('shown-words'));
    fill(paragraph('shown-digits'));
  }

  /** How much is left; over the limit is said as such. Whoever knows the text says it: to read it, the
   * browser lays out the whole page. A screen reader says it near the limit and when that is passed, either way,
   * and not at each key: nothing else could be heard. */
  #count(text = this.#letter.text): void {
    const left = LETTER_TEXT - encodeText(text).length;
    const fault = paragraph('letter-fault');
    const [was, is] = [this.#left < 0, left < 0];
    fault.setAttribute('aria-live', was && is ? 'off' : 'assertive');
    this.#sayLeft(!is && (was || nearness(left) > nearness(this.#left)), left);
    const over = numberOf((code) => Math.max(1, -inUnits(left, code)));
    const limit = numberOf((code) => inUnits(LETTER_TEXT, code));
    say(fault, is ? 'say.over' : null, { over, limit });
    this.#letter.invalid = is;
  }

  /** In characters of the language; aloud or not. It does not describe the field, since what does may be
   * spoken whenever it changes. */
  #sayLeft(aloud: boolean, left = this.#left): void {
    const count = paragraph('count');
    count.setAttribute('aria-live', aloud ? 'polite' : 'off');
    this.#left = left;
    say(count, 'say.count', {
      left: numberOf((code) => Math.max(0, inUnits(left, code))),
      limit: numberOf((code) => inUnits(LETTER_TEXT, code)),
    });
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
    this.#left = Math.max(0, this.#left); // who asks for it hears it again
    this.#count(text);
    this.waiting.close();
    this.clear();
    if (encodeText(text).length > LETTER_TEXT) return this.#letter.focus();
    const secret = this.#secret();
    if (!secret) return;
    this.#finish.disabled = true;
    const forgotten = this.#forgotten;
    const stays = (): boolean => forgotten === this.#forgotten;
    try {
      const slot = await this.session.keepLetter(secret, text, current().number, this.today());
      if (!stays()) return;
      this.#letter.clear();
      this.#count('');
      this.#open(null);
      this.#tell(slot);
    } catch (error) {
      if (!stays()) return;
      sayFault(paragraph('letter-fault'), error);
      if (error instanceof Refused && error.rule === 'letter 3.8') this.#letter.focus();
    } finally {
      this.#finish.disabled = false;
    }
  }

  #tell(slot: Slot): void {
    const status = paragraph('letter-status');
    status.tabIndex = -1;
    status.focus();
    say(status, 'say.letter.keeping');
    let hurried = false;
    const tools = this.waiting.toolsFor(slot, () => {
      hurried = true;
      say(status, null);
    });
    fill(paragraph('letter-tools'), tools);
    const date = startOf(slot.day + 1);
    const tell = (kept: boolean): void => {
      const speaks = !hurried && tools.isConnected; // of a letter that is still the last one here
      if (speaks) sayKept(status, this.session, kept, 'say.letter.kept', { date });
    };
    void this.keeper.told(tell, () => this.session.holds(slot));
  }

  /** Nothing of words or letters stays in the document. */
  forget(): void {
    this.#forgotten += 1;
    this.#letter.clear();
    this.#count('');
    this.#open(null);
    this.clear();
  }

  /** Nothing of the last letter stays in the document. */
  clear(): void {
    say(paragraph('letter-status'), null);
    fill(paragraph('letter-tools'));
  }
}

function inWords(secret: Uint8Array, code: Code, words: WordList): HTMLElement {
  const part = make('div');
  part.lang = code;
  const title = make('h3', textIn('say.new.words', code));
  const list = make('ol');
  list.append(...toWords(secret, words).map((word) => make('li', word)));
  part.append(title, list);
  return part;
}

function inDigits(secret: Uint8Array, code: Code): HTMLElement {
  const groups = make('p', '', 'digits');
  groups.lang = code;
  // Left to right in every language, as digits are read: the first group stands at the left.
  groups.dir = 'ltr';
  groups.append(...toDigits(secret).map((group) => make('span', digitsOf(group, code))));
  return groups;
}
