// The page's own keys for words and digits: what is picked goes through no keyboard, no input method
// and no dictation. One stop for the Tab key; arrows go from key to key.

import {
  type Alphabet,
  asTyped,
  type Key,
  keysFor,
  NOTHING,
  type Picked,
  press,
  taken,
  undo,
  wanted,
} from '../picking.js';
import { fill, find, make, paragraph } from './dom.js';
import type { Field } from './field.js';
import { current, digitsOf, LANGUAGES, numberOf, say, type Saying } from './language.js';

const ROW = 6;

export class Picker {
  readonly #panel: HTMLElement;
  readonly #opener: HTMLButtonElement;
  readonly #kinds = make('div', '', 'choices');
  readonly #status = make('p', '', 'status');
  readonly #keys = make('div', '', 'keys');
  #alphabet: Alphabet = 'digits';
  #picked: Picked = NOTHING;
  /** What was typed and is no beginning in this alphabet: it stays in front of what is picked. */
  #before = '';
  /** Whether a keyboard was used since the field was read. */
  #typed = false;

  constructor(
    name: string,
    readonly field: Field,
  ) {
    this.#panel = paragraph(`${name}-picker`);
    this.#opener = find(`${name}-pick`, HTMLButtonElement);
    this.#opener.addEventListener('click', () => (this.#panel.hidden ? this.#open() : this.close()));
    this.#status.setAttribute('role', 'status');
    this.#status.id = `${name}-picked`;
    for (const group of [this.#kinds, this.#keys]) group.setAttribute('role', 'group');
    this.#kinds.setAttribute('aria-labelledby', this.#opener.id);
    this.#keys.setAttribute('aria-labelledby', this.#status.id);
    this.#keys.addEventListener('keydown', (event) => this.#walk(event));
    field.onInput(() => (this.#typed = true));
  }

  close(): void {
    this.#panel.hidden = true;
    this.#opener.setAttribute('aria-expanded', 'false');
    [this.#picked, this.#before] = [NOTHING, ''];
    fill(this.#panel);
  }

  #open(): void {
    this.#panel.hidden = false;
    this.#opener.setAttribute('aria-expanded', 'true');
    const steps = make('div', '', 'choices');
    steps.append(
      this.#button('say.pick.back', () => this.#change(undo)),
      this.#button('say.pick.clear', () => this.#clear()),
    );
    fill(this.#panel, this.#kinds, this.#status, this.#keys, steps);
    this.#choose(current().words ?? 'digits');
  }

  #button(saying: Saying, act: () => void): HTMLElement {
    const button = make('button');
    button.setAttribute('type', 'button');
    say(button, saying);
    button.addEventListener('click', act);
    return button;
  }

  /** Digits, or one of the lists: the secret may have been noted in any of them. */
  #choose(alphabet: Alphabet): void {
    this.#alphabet = alphabet;
    const kinds: [Alphabet, HTMLElement][] = [
      ['digits', this.#button('say.pick.digits', () => this.#choose('digits'))],
    ];
    for (const { words } of LANGUAGES) {
      if (words) kinds.push([words, this.#button(`say.pick.${words}`, () => this.#choose(words))]);
    }
    for (const [kind, button] of kinds) button.setAttribute('aria-pressed', String(kind === alphabet));
    const hadFocus = this.#kinds.contains(document.activeElement);
    fill(this.#kinds, ...kinds.map(([, button]) => button));
    if (hadFocus) kinds.find(([kind]) => kind === alphabet)?.[1].focus();
    this.#take();
    this.#show();
  }

  /** Go on from what stands in the field: nothing but "start again" empties it. */
  #take(): void {
    const { text } = this.field;
    const picked = taken(this.#alphabet, text);
    this.#picked = picked ?? NOTHING;
    this.#before = picked ? '' : text;
    this.#typed = false;
  }

  #change(next: (picked: Picked) => Picked): void {
    if (this.#typed) this.#take();
    this.#set(next(this.#picked));
  }

  #clear(): void {
    [this.#before, this.#typed] = ['', false];
    this.#set(NOTHING);
  }

  #set(picked: Picked): void {
    this.#picked = picked;
    const typed = asTyped(this.#alphabet, picked);
    const shown = this.#alphabet === 'digits' ? digitsOf(typed, current().code) : typed;
    this.field.text = [this.#before, shown].filter(Boolean).join(' ');
    this.#show();
  }

  #show(): void {
    const picked = this.#picked;
    const count = { done: numberOf(picked.put.length), all: numberOf(wanted(this.#alphabet)) };
    say(this.#status, picked.prefix ? 'say.pick.narrow' : 'say.pick.count', {
      ...count,
      letters: picked.prefix,
    });
    const hadFocus = this.#keys.contains(document.activeElement);
    fill(this.#keys, ...keysFor(this.#alphabet, picked).map((key, i) => this.#key(key, i)));
    this.#keys.className = `keys ${this.#alphabet === 'digits' ? 'pad' : ''}`;
    this.#keys.dir = 'ltr';
    // The key that was pressed is gone: the next choice begins where the hands are.
    if (hadFocus) (this.#keys.querySelector('button') ?? this.#opener).focus();
  }

  #key(key: Key, index: number): HTMLElement {
    const digit = this.#alphabet === 'digits';
    const button = make('button', digit ? digitsOf(key.label, current().code) : key.label);
    button.setAttribute('type', 'button');
    button.className = key.puts ? 'puts' : 'narrows';
    button.tabIndex = index ? -1 : 0;
    button.addEventListener('click', () => this.#change((picked) => press(picked, key)));
    return button;
  }

  #walk(event: KeyboardEvent): void {
    const keys = [...this.#keys.querySelectorAll('button')];
    const at = keys.indexOf(event.target as HTMLButtonElement);
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns(keys), ArrowDown: this.#columns(keys),
    };
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? keys.length - 1
      : at + (steps[event.key] ?? 0);
    if (at < 0 || to === at || !keys[to]) return;
    event.preventDefault();
    keys.forEach((key, i) => (key.tabIndex = i === to ? 0 : -1));
    keys[to].focus();
  }

  /** As many as stand in the first row now. */
  #columns(keys: readonly HTMLElement[]): number {
    const top = keys[0]?.offsetTop;
    const second = keys.findIndex((key) => key.offsetTop !== top);
    return second < 0 ? ROW : second;
  }
}
