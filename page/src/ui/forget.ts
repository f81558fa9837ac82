// "Forget": no letter of this browser is left, as if it had never been used for writing.

import type { Keeper } from '../store/keeper.js';
import { find, paragraph } from './dom.js';
import { say } from './language.js';

/** Answers with what takes the question back. */
export function startForget(keeper: Keeper, forgotten: () => void): () => void {
  const ask = find('forget', HTMLButtonElement);
  const panel = find('forget-panel', HTMLElement);
  const status = paragraph('forget-status');
  const open = (is: boolean): void => {
    panel.hidden = !is;
    ask.setAttribute('aria-expanded', String(is));
  };
  ask.addEventListener('click', () => open(panel.hidden === true));
  find('forget-not', HTMLButtonElement).addEventListener('click', () => {
    open(false);
    ask.focus();
  });
  find('forget-sure', HTMLButtonElement).addEventListener('click', () => {
    open(false);
    ask.focus();
    say(status, 'say.forget.keeping');
    forgotten();
    const tell = (kept: boolean): void => say(status, kept ? 'say.forget.done' : 'say.forget.unkept');
    keeper.told(tell, undefined, keeper.forget()).catch(() => tell(false));
  });
  return () => open(false);
}
