// The upload cell: what every page sends, real or cover. Spec: cell.md.
//
// A cell is always CELL bytes, so its size says nothing about who is writing.

import { anySet, concat, toNumber, uint } from '../bytes.js';
import { openSealed, seal, Unopened } from '../crypto/aead.js';
import { Refused } from '../refused.js';
import { BODY_HEADER, CELL, HELLO_HEADER, HUM_CELLS, POSITIONS } from './sizes.js';

const VERSION = 1;

/** One upload, still sealed. `header` is authenticated when `sealed` is opened. */
export interface Cell {
  readonly counter: number;
  readonly record: number;
  readonly header: Uint8Array;
  readonly sealed: Uint8Array;
}

/** 0 is a hello, 1-3 are the pieces of the parcel body (cell 1.2). */
export const position = (counter: number): number => counter % POSITIONS;

export const encodeCell = (cell: Cell): Uint8Array => concat(cell.header, cell.sealed);

/** The four bytes that both kinds of cell begin with (cell 1.1). */
export const headOf = (counter: number, record: number): Uint8Array =>
  concat(Uint8Array.of(VERSION, counter), uint(record, 2));

/** Read a cell, or Refused (cell 2). Nothing is guessed or repaired. */
export function parseCell(data: Uint8Array): Cell {
  if (data.length !== CELL) throw new Refused('cell 2.1', 'A cell has the wrong length');
  if (data[0] !== VERSION) throw new Refused('cell 2.2', "A cell's version is unknown");
  const counter = data[1] as number;
  if (counter >= HUM_CELLS) throw new Refused('cell 2.3', "A cell's counter is out of range");
  const size = position(counter) ? BODY_HEADER : HELLO_HEADER;
  if (size === HELLO_HEADER && anySet(data.slice(4, HELLO_HEADER))) {
    throw new Refused('cell 2.4', "A hello's reserved bytes are set");
  }
  return {
    counter,
    record: toNumber(data.slice(2, 4)),
    header: data.slice(0, size),
    sealed: data.slice(size),
  };
}

/** Seal one piece of BODY_PIECE bytes under hum key A (cell 1.3). */
export function sealBody(
  key: Uint8Array,
  counter: number,
  record: number,
  humId: Uint8Array,
  piece: Uint8Array,
): Cell {
  const header = concat(headOf(counter, record), humId);
  return { counter, record, header, sealed: seal(key, counter, header, piece) };
}

/** The piece inside a body cell, or Refused (cell 2.5). */
export function openBody(key: Uint8Array, cell: Cell): Uint8Array {
  try {
    return openSealed(key, cell.counter, cell.header, cell.sealed);
  } catch (error) {
    if (!(error instanceof Unopened)) throw error;
    throw new Refused('cell 2.5', 'A body cell does not open');
  }
}
