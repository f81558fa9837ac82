// The shared vectors: how their files are found and read. Format: ../vectors/README.md.

import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { fromHex } from '../../src/bytes.js';
import { sha256 } from '../../src/crypto/derive.js';
import { deskEntryHash, parseRecord, type RecordBody } from '../../src/wire/record.js';

export type Fields = { readonly [name: string]: unknown };

export interface Vector {
  readonly name: string;
  readonly kem: boolean;
  readonly inputs: Fields;
  readonly bytes?: string;
  readonly fields: Fields;
}

export interface RefusedVector {
  readonly name: string;
  readonly refused: string;
  readonly stage: string;
  readonly inputs: Fields;
  readonly bytes?: string;
}

export const folder = '../vectors';

export const MADE = [
  'cell', 'hello', 'hum', 'parcel', 'letter', 'receipt', 'chain', 'words', 'token', 'stamp',
] as const;
export const READ = ['record', 'reply', 'segment'] as const;
export type Structure = (typeof MADE)[number] | (typeof READ)[number];
export const STRUCTURES: readonly Structure[] = [...MADE, ...READ];

const read = (path: string): unknown => JSON.parse(readFileSync(`${folder}/${path}`, 'utf8'));

/** The page makes tokens and never sees a set of them. */
const isSeen = ({ inputs }: Vector): boolean => inputs['what'] !== 'set';

export const vectorsOf = (structure: Structure, who: string): readonly Vector[] => {
  const path = `${structure}/${who}.json`;
  if (!existsSync(`${folder}/${path}`)) return [];
  return (read(path) as { vectors: Vector[] }).vectors.filter(isSeen);
};

export const refusedOf = (structure: Structure): readonly RefusedVector[] => {
  const path = `${folder}/${structure}/refused`;
  if (!existsSync(path)) return [];
  return readdirSync(path).map((name) => read(`${structure}/refused/${name}`) as RefusedVector);
};

export const sizesFile = (): Fields => read('sizes/sizes.json') as Fields;

const keys = read('keys.json') as Record<string, Record<string, string>>;

export function hex(text: unknown): Uint8Array {
  const bytes = typeof text === 'string' ? fromHex(text) : null;
  if (!bytes) throw new TypeError('a vector holds something that is not hex');
  return bytes;
}

export const key = (group: 'seeds' | 'verify' | 'secrets', name: unknown): Uint8Array =>
  hex(keys[group]?.[String(name)]);

export const bytesIn = (inputs: Fields, name: string): Uint8Array => hex(inputs[name]);
export const numberIn = (inputs: Fields, name: string): number => Number(inputs[name]);
export const textIn = (inputs: Fields, name: string): string => String(inputs[name]);

/** A record that a vector names: its body, its hash, and the private keys that belong to it. */
export function recordNamed(name: unknown): NamedRecord {
  const vector = vectorsOf('record', 'hand').find((one) => one.name === name);
  if (!vector) throw new Error(`no record vector ${String(name)}`);
  const { body, signed } = parseRecord(hex(vector.bytes));
  const desks = (vector.inputs['desks'] as Fields[]).map((desk, i) => {
    const entry = body.desks[i];
    if (!entry) throw new Error('a desk is missing');
    return { seed: key('seeds', desk['key']), entry, hash: deskEntryHash(body.root, entry) };
  });
  const [a, b] = [key('seeds', vector.inputs['hop_a']), key('seeds', vector.inputs['hop_b'])];
  return { bytes: hex(vector.bytes), body, hash: sha256(signed), a, b, desks };
}

export interface NamedRecord {
  readonly bytes: Uint8Array;
  readonly body: RecordBody;
  readonly hash: Uint8Array;
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly desks: readonly {
    readonly seed: Uint8Array;
    readonly entry: RecordBody['desks'][number];
    readonly hash: Uint8Array;
  }[];
}
