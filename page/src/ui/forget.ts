// "Forget": no letter of this browser is left, as if it had never been used for writing.

import type { Keeper } from '../store/keeper.js';
import { find, paragraph } from './dom.js';
import { say } from './language.js';

/** Answers with what takes the question back, and with what takes back, after a turn of the store, that all
 * is forgotten, where something was put away since. */
export function startForget(
  keeper: Keeper,
  forgotten: () => void,
): { readonly unasked: () => void; readonly turned: () => void } {
  const ask = find('forget', HTMLButtonElement);
  const panel = find('forget-panel', HTMLElement);
  const status = paragraph('forget-status');
  let done = false;
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
    done = false;
    say(status, 'say.forget.keeping');
    forgotten();
    const tell = (kept: boolean): void => {
      done = kept;
      say(status, kept ? 'say.forget.done' : 'say.forget.unkept');
    };
    keeper.told(tell, undefined, keeper.forget()).catch(() => tell(false));
  });
  return {
    unasked: () => open(false),
    turned: () => {
      if (done && !keeper.session.unused) say(status, null);
    },
  };
}
