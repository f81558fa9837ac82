// Tokens: how a hum says that its letter is of some known conversation. Spec: token.md 1. The page
// makes them when a letter is sealed; sets of their hashes are the desk's and B's.

import { ascii, concat, uint } from '../bytes.js';
import { derive, mac16 } from '../crypto/derive.js';
import { TOKEN, TOKEN_WEEKS, TOKENS } from './sizes.js';

/** K_tok, from a conversation's id (token 1.1). */
export const tokenKey = (conversation: Uint8Array): Uint8Array =>
  derive(conversation, ascii('token'), 32);

/** One token (token 1.2). */
export const tokenOf = (key: Uint8Array, week: number, index: number): Uint8Array =>
  mac16(key, concat(uint(week, 2), uint(index, 1)));

/** Which token a letter takes (token 1.4). */
export const indexOf = (mark: number): number => mark % TOKENS;

/** What lies beside a waiting letter that is sealed in `week`: its tokens of that week and the next
 * ones (token 1.5). */
export function tokensOfLetter(conversation: Uint8Array, week: number, mark: number): Uint8Array {
  const key = tokenKey(conversation);
  const weeks = Array.from({ length: TOKEN_WEEKS }, (_, n) => week + n);
  return concat(...weeks.map((each) => tokenOf(key, each, indexOf(mark))));
}

/** The token of `week` out of those beside a letter sealed in `sealedIn`; null when it leaves later
 * than they reach, as after days without a record (token 1.5, 1.6). */
export function tokenFor(tokens: Uint8Array, sealedIn: number, week: number): Uint8Array | null {
  const at = (week - sealedIn) * TOKEN;
  return at >= 0 && at < tokens.length ? tokens.slice(at, at + TOKEN) : null;
}
