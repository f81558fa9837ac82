// Writes vectors/<structure>/by-typescript.json: the vectors of hand.json, made or read by the page.
// A vector with a KEM inside is kept as long as it opens to its fields, so that nothing changes on
// an unchanged tree.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import { toHex } from '../src/bytes.js';
import {
  type Fields,
  folder,
  hex,
  MADE,
  READ as ONLY_READ,
  type Structure,
  type Vector,
  vectorsOf,
} from '../test/vectors/files.js';
import { MAKE } from '../test/vectors/make.js';
import { READ, SEALED } from '../test/vectors/read.js';

const isMade = (structure: Structure): structure is (typeof MADE)[number] =>
  (MADE as readonly Structure[]).includes(structure);

async function holds(structure: Structure, hand: Vector, bytes: string): Promise<Fields | null> {
  const fields = await READ[structure](hand.inputs, hex(bytes)).catch(() => null);
  const sealed = SEALED[structure] ?? [];
  const same = Object.entries(hand.fields).every(
    ([name, value]) => sealed.includes(name) || isDeepStrictEqual(fields?.[name], value),
  );
  return same ? fields : null;
}

async function made(structure: Structure, hand: Vector, old: Vector | undefined): Promise<Vector> {
  const own = isMade(structure);
  const entry = { name: hand.name, kem: own && hand.kem, inputs: own ? hand.inputs : {} };
  const kept = old?.bytes && isDeepStrictEqual(old.inputs, entry.inputs) ? old.bytes : null;
  if (kept && entry.kem) {
    const fields = await holds(structure, hand, kept);
    if (fields) return { ...entry, bytes: kept, fields };
  }
  const bytes = own ? toHex(await MAKE[structure](hand.inputs)) : (hand.bytes ?? '');
  const fields = await holds(structure, hand, bytes);
  if (!fields || (!hand.kem && bytes !== (hand.bytes ?? ''))) {
    throw new Error(`${structure} ${hand.name}: the page disagrees with hand.json`);
  }
  return { ...entry, ...(bytes ? { bytes } : {}), fields };
}

for (const structure of [...MADE, ...ONLY_READ]) {
  const path = `${folder}/${structure}/by-typescript.json`;
  const before = new Map(vectorsOf(structure, 'by-typescript').map((one) => [one.name, one]));
  const vectors: Vector[] = [];
  for (const hand of vectorsOf(structure, 'hand')) {
    vectors.push(await made(structure, hand, before.get(hand.name)));
  }
  const value = { structure, spec: `spec/${structure}.md`, made_by: 'typescript', vectors };
  const text = `${JSON.stringify(value, null, 1)}\n`;
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (text !== old) writeFileSync(path, text);
  console.log(`${structure}: ${vectors.length}`);
}
