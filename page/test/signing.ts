// What the signers of the vectors sign beyond the vectors: a record that names another board key than
// the one before, and heads of either key.

import { readFileSync } from 'node:fs';

import { ed25519 } from '@noble/curves/ed25519.js';

import { ascii, concat, uint } from '../src/bytes.js';
import type { Purpose } from '../src/crypto/sign.js';
import { type EpochRecord, verifyRecord } from '../src/trust/record.js';
import { HEAD, SIGNATURE } from '../src/wire/sizes.js';
import { folder, hex, key } from './vectors/files.js';
import { pinsWith } from './vectors/refuse.js';

const { signers } = JSON.parse(readFileSync(`${folder}/keys.json`, 'utf8')) as {
  signers: Record<string, string>;
};
const [ANCESTORS_AT, BOARD_KEY_AT] = [58, 58 + 512 + 3 * 1216 + 32];

function signedBy(names: readonly string[], purpose: Purpose, body: Uint8Array): Uint8Array {
  const message = concat(ascii(`wallflower/1 ${purpose}`), new Uint8Array(1), body);
  return concat(body, ...names.map((name) => ed25519.sign(message, hex(signers[name]))));
}

/** The next record of the same day, which names the stranger's key for the board. */
export function withAnotherBoardKey(before: EpochRecord): EpochRecord {
  const body = before.bytes.slice(0, -3 * SIGNATURE);
  body.set(uint(before.body.number + 1, 2), 2);
  body.set(concat(before.hash, ...before.body.ancestors.slice(0, -1)), ANCESTORS_AT);
  body.set(key('verify', 'stranger'), BOARD_KEY_AT);
  return verifyRecord(signedBy(['organisation', 'a', 'b'], 'record', body), pinsWith(before.body.root));
}

/** This head with another number, as who has a key may sign it. */
export function headOf(head: Uint8Array, number: number, signer: 'board' | 'stranger'): Uint8Array {
  const body = head.slice(0, HEAD - SIGNATURE);
  body.set(uint(number, 4), 4);
  return signedBy([signer], 'head', body);
}
