// The panel for reading: words in, what the board and this browser hold for them out. It makes no
// request, and what it shows of a reply is text and nothing else: no links, no pictures.

import { findAnswers, type LetterState, type WeekOfAnswers } from '../answers.js';
import { isComplete } from '../board.js';
import type { Session } from '../session.js';
import { dayOfWeek } from '../wire/days.js';
import { fromPerson } from '../wire/words.js';
import { fill, find, make, paragraph } from './dom.js';
import { sayFault } from './faults.js';
import { Field } from './field.js';
import { dateOf, say, type Saying, startOf } from './language.js';
import { Picker } from './picker.js';
import { addThatNothingIsSent, type Waiting } from './waiting.js';

const STATES: Readonly<Record<LetterState, Saying>> = {
  waiting: 'say.state.waiting',
  next: 'say.state.next',
  stale: 'say.state.stale',
  left: 'say.state.left',
  overdue: 'say.state.overdue',
  taken: 'say.state.taken',
  answered: 'say.state.answered',
};

export class ReadPanel {
  readonly #field = new Field('read-field');
  readonly #picker = new Picker('read', this.#field);

  constructor(
    readonly session: Session,
    readonly waiting: Waiting,
    readonly today: () => number,
  ) {
    find('look', HTMLButtonElement).addEventListener('click', () => this.#look());
    find('read-close', HTMLButtonElement).addEventListener('click', () => this.#close());
  }

  #look(): void {
    say(paragraph('read-fault'), null);
    say(paragraph('read-status'), null);
    this.#empty();
    let secret: Uint8Array;
    try {
      secret = fromPerson(this.#field.text);
    } catch (error) {
      sayFault(paragraph('read-fault'), error);
      this.#field.focus();
      return;
    }
    const { board, slots, record } = this.session;
    const weeks = findAnswers(secret, this.today(), board, slots, record);
    const whole = board !== null && isComplete(board);
    const status = paragraph('read-status');
    say(status, weeks.length ? 'say.read.found' : 'say.read.nothing');
    if (!whole) {
      const more = make('span', '', 'more');
      say(more, 'say.read.incomplete');
      status.append(' ', more);
    }
    fill(paragraph('answers'), ...weeks.map((week) => this.#shown(week)));
  }

  #close(): void {
    this.clear();
    find('read', HTMLDetailsElement).open = false;
    find('read', HTMLDetailsElement).querySelector('summary')?.focus();
  }

  /** Nothing of the words or of what they showed stays in the document. */
  clear(): void {
    this.#picker.close();
    this.#field.clear();
    say(paragraph('read-fault'), null);
    say(paragraph('read-status'), null);
    this.#empty();
  }

  #empty(): void {
    this.waiting.close();
    fill(paragraph('answers'));
  }

  #shown(answers: WeekOfAnswers): HTMLElement {
    const week = make('section', '', 'week');
    const title = make('h3');
    say(title, 'say.read.week', { date: dateOf(dayOfWeek(answers.week)) });
    week.append(title);
    for (const { state, slot } of answers.letters) {
      const line = make('p', '', `state ${state}`);
      const tell = (how: LetterState): void => {
        say(line, STATES[how], slot ? { date: startOf(slot.day + 1) } : {});
        if (slot) addThatNothingIsSent(line, this.session);
      };
      tell(state);
      const hurried = (): void => tell('next');
      week.append(line, ...(slot ? [this.waiting.toolsFor(slot, hurried)] : []));
    }
    for (const text of answers.replies) {
      const label = make('p', '', 'label');
      say(label, 'say.read.answer');
      const reply = make('blockquote', text, 'reply');
      reply.setAttribute('translate', 'no');
      reply.dir = 'auto';
      week.append(label, reply);
    }
    return week;
  }
}
