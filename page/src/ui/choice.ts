// Whether this person's visits send padding. It counts from the next visit: the hum that runs was
// fixed by the page load, and is changed by nothing.

import type { Session } from '../session.js';
import type { Keeper } from '../store/keeper.js';
import { find, paragraph } from './dom.js';
import { say } from './language.js';
import { sayWhetherSent } from './waiting.js';

/** Lets a person choose: until the store was read, the document keeps the box from being ticked, since
 * what was done before would be undone. Answers with what shows the choice again, which may have been
 * made in another tab. */
export function startChoice(session: Session, keeper: Keeper): () => void {
  const box = find('hum-choice', HTMLInputElement);
  const status = paragraph('hum-choice-status');
  const show = (): void => {
    if (box.checked !== session.hums) say(status, null); // what was said here is true no more
    box.checked = session.hums;
    sayWhetherSent(session);
  };
  show();
  box.disabled = !session.record;
  box.addEventListener('change', () => {
    session.hums = box.checked;
    session.chosen = true;
    sayWhetherSent(session);
    say(status, 'say.choice.keeping');
    void keeper.told((kept) => {
      say(status, kept ? (session.hums ? 'say.choice.on' : 'say.choice.off') : 'say.choice.unkept');
    });
  });
  return show;
}
