// What the page and its Workers say to each other. The hum has a Worker of its own, in which nothing
// else runs; a second one fetches files and holds the store's, so that typing cannot delay them either;
// a third one seals.

import type { Carried, HumKeys } from '../wire/hum.js';

/** What is sealed: one letter or filler, which comes back, or a whole hum, whose cells go straight to
 * its Worker: what the page does then cannot hold them up. */
export type SealJob =
  | {
      readonly job: 'seal-letter';
      readonly deskKey: Uint8Array;
      readonly entryHash: Uint8Array;
      readonly plain: Uint8Array;
    }
  | {
      readonly job: 'seal-hum';
      readonly keys: HumKeys;
      readonly carried: Carried;
      readonly cells: MessagePort;
    };

export interface SealReport {
  readonly report: 'sealed';
  /** Null when it could not be; of a hum no bytes. */
  readonly sealed: Uint8Array | null;
}

/** Send the cells that come by this port. */
export interface HumJob {
  readonly job: 'hum';
  readonly cells: MessagePort;
  readonly url: string;
  readonly pace: number;
}

/** Files one after another, none before its moment (milliseconds since the job came), and each up to
 * `ditherMs` later than it could be (hum 1.9). */
export interface FilesJob {
  readonly job: 'files';
  readonly name: string;
  readonly files: readonly { readonly url: string; readonly atMs: number }[];
  readonly limit: number;
  readonly ditherMs: number;
}

/** The store's file: the plain image that another tab put there, and which to put in its place, packed
 * with a key that was drawn for it (store 1.2, 5.1). */
export type StoreJob =
  | { readonly job: 'store-able' }
  | { readonly job: 'store-read' }
  | { readonly job: 'store-write'; readonly plain: Uint8Array | null; readonly key: Uint8Array };

/** Hands these bytes over with a message instead of a copy: who sends them has them no longer. */
export const given = (bytes: Uint8Array | null): StructuredSerializeOptions => ({
  transfer: bytes ? [bytes.buffer as ArrayBuffer] : [],
});

export type Job = HumJob | FilesJob | StoreJob;

export type Report =
  | { readonly report: 'hum-begun' }
  | { readonly report: 'hum-left' }
  | { readonly report: 'hum-ended'; readonly whole: boolean }
  | { readonly report: 'store-able'; readonly able: boolean }
  | { readonly report: 'store-lies'; readonly plain: Uint8Array | null }
  | { readonly report: 'store-written'; readonly kept: boolean }
  | {
      readonly report: 'file';
      readonly name: string;
      readonly index: number;
      readonly bytes: Uint8Array | null;
    };
