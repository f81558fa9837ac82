// What can be done with a letter that waits: take it along, or let it leave with the next visit.
// Offered only behind the words that it was written with, so that one conversation never shows
// another; both act on this browser alone and ask nobody for anything.

import type { Session } from '../session.js';
import { toPieces } from '../store/carrying.js';
import { type Slot, Waits } from '../store/image.js';
import type { Keeper } from '../store/keeper.js';
import { drawCode } from './code.js';
import { fill, find, make, paragraph } from './dom.js';
import { numberOf, say, type Saying, type Value } from './language.js';

const INSETS = ['carry', 'hurry'] as const;
type Inset = (typeof INSETS)[number];

/** Say that a letter is put away, or is not. */
export function sayKept(
  status: HTMLElement,
  session: Session,
  kept: boolean,
  saying: Saying,
  values: Readonly<Record<string, Value>> = {},
): void {
  say(status, kept ? saying : 'say.letter.unkept', values);
  if (kept) addThatNothingIsSent(status, session);
}

/** Where visits send no padding, say so behind what was said of a letter that waits: it does not leave. */
export function addThatNothingIsSent(said: HTMLElement, session: Session): void {
  const more = make('span', '', 'more unsent');
  sayWhether(more, session);
  said.append(' ', more);
}

const sayWhether = (more: HTMLElement, { hums }: Session): void =>
  say(more, hums ? null : 'say.hum.off');

/** The same after another choice, wherever a letter that waits is spoken of. */
export function sayWhetherSent(session: Session): void {
  for (const more of document.querySelectorAll<HTMLElement>('.unsent')) {
    // Said again it would be heard again.
    if ((more.childElementCount === 0) !== session.hums) sayWhether(more, session);
  }
}

export class Waiting {
  #slot: Slot | null = null;
  #pieces: readonly string[] = [];
  #at = 0;
  #opener: HTMLElement | null = null;
  #hurried: () => void = () => undefined;

  constructor(
    readonly session: Session,
    readonly keeper: Keeper,
  ) {
    this.#on('carry-select', () => this.#select());
    this.#on('carry-before', () => this.#show(this.#at - 1));
    this.#on('carry-next', () => this.#show(this.#at + 1));
    this.#on('carry-close', () => this.#back());
    this.#on('hurry-close', () => this.#back());
    this.#on('hurry-sure', () => this.#hurry());
  }

  /** Buttons for one waiting letter, and the line that says what came of them; `hurried` takes back
   * what was said of its day. */
  toolsFor(slot: Slot, hurried: () => void): HTMLElement {
    const tools = make('div', '', 'tools');
    const choices = make('div', '', 'choices');
    choices.append(this.#tool(slot, 'carry', 'say.tool.carry', tools, hurried));
    if (this.session.pins.hurry && slot.waits === Waits.LATER) {
      choices.append(this.#tool(slot, 'hurry', 'say.tool.hurry', tools, hurried));
    }
    const status = make('p', '', 'done');
    status.setAttribute('role', 'status');
    tools.append(choices, status);
    return tools;
  }

  /** Close and empty everything; nothing of a letter stays in the document. */
  close(): void {
    for (const name of INSETS) {
      const inset = find(name, HTMLElement);
      inset.hidden = true;
      // Back to where it cannot be thrown away together with a list of answers.
      document.querySelector('.panels')?.append(inset);
    }
    this.#opener?.setAttribute('aria-expanded', 'false');
    fill(paragraph('carry-text'));
    fill(paragraph('carry-code'));
    fill(paragraph('carry-frame'));
    this.#slot = null;
    this.#pieces = [];
  }

  #tool(
    slot: Slot,
    name: Inset,
    saying: Saying,
    tools: HTMLElement,
    hurried: () => void,
  ): HTMLElement {
    const button = make('button', '', name);
    button.setAttribute('type', 'button');
    button.setAttribute('aria-expanded', 'false');
    say(button, saying);
    button.addEventListener('click', () => {
      const again = this.#opener === button && this.#slot !== null;
      this.close();
      if (again || this.#saysLeft(slot, tools)) return;
      this.#hurried = hurried;
      this.#open(slot, name, button, tools);
    });
    return button;
  }

  /** What is shown may be older than the hum of this visit, or than what another tab did. */
  #saysLeft(slot: Slot, tools: HTMLElement): boolean {
    if (!this.session.hasLeft(slot)) return false;
    const status = tools.querySelector('p.done') as HTMLElement;
    fill(tools.querySelector('.choices') as HTMLElement);
    status.tabIndex = -1;
    say(status, 'say.state.left');
    status.focus();
    return true;
  }

  #open(slot: Slot, name: Inset, button: HTMLElement, tools: HTMLElement): void {
    this.#slot = slot;
    this.#opener = button;
    button.setAttribute('aria-expanded', 'true');
    const inset = find(name, HTMLElement);
    tools.append(inset);
    inset.hidden = false;
    if (name === 'carry') {
      this.#pieces = toPieces(slot);
      paragraph('carry-text').textContent = this.#pieces.join('\n');
      this.#show(0);
    }
    inset.focus();
  }

  #on(id: string, act: () => void): void {
    find(id, HTMLButtonElement).addEventListener('click', act);
  }

  #show(at: number): void {
    const all = this.#pieces.length;
    this.#at = (at + all) % all;
    drawCode('carry-code', this.#pieces[this.#at] as string);
    const counts = { at: numberOf(this.#at + 1), all: numberOf(all) };
    say(paragraph('carry-frame'), 'say.carry.frame', counts);
  }

  #select(): void {
    const range = document.createRange();
    range.selectNodeContents(paragraph('carry-text'));
    const selection = getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    paragraph('carry-text').focus();
  }

  #back(): void {
    const opener = this.#opener;
    this.close();
    opener?.focus();
  }

  #hurry(): void {
    const slot = this.#slot;
    const opener = this.#opener;
    const tools = opener?.closest<HTMLElement>('.tools');
    const status = tools?.querySelector<HTMLElement>('p.done');
    this.close();
    if (!slot || !opener || !tools || !status || this.#saysLeft(slot, tools)) return;
    this.session.hurry(slot.letter);
    this.#hurried();
    opener.hidden = true;
    status.tabIndex = -1;
    say(status, 'say.hurry.keeping');
    status.focus();
    const tell = (kept: boolean): void => {
      // Another tab may have forgotten it: then it does not wait for its day either.
      const holds = this.session.holds(slot);
      if (kept || !holds) sayKept(status, this.session, kept && holds, 'say.hurry.done');
      else say(status, 'say.hurry.unkept');
    };
    void this.keeper.told(tell, () => this.session.holds(slot));
  }
}
