// The Worker's side of the store: one file, overwritten in place. Only a Worker may hold the handle
// that writes without a copy (store 5.1), and the handle shuts other tabs out while it is open.

import { equal } from '../bytes.js';
import { until, monotonic } from '../hum/clock.js';
import { Refused } from '../refused.js';
import { IMAGE, packInFile, SEALED_AT, unpackInFile } from './packing.js';

const NAME = 'image';
const TRIES = 40;
const BETWEEN_MS = 50;

let held: FileSystemSyncAccessHandle | null = null;
/** How the image begins that this tab read or wrote last. */
let known = new Uint8Array(0);

async function file(): Promise<FileSystemFileHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getFileHandle(NAME, { create: true });
}

/** Whether another tab holds the file. */
const isBusy = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'NoModificationAllowedError';

/** Another tab holds the file for the length of a turn; waiting for it is the lock between tabs. */
async function open(): Promise<FileSystemSyncAccessHandle> {
  const image = await file();
  for (let tries = 1; ; tries++) {
    try {
      return await image.createSyncAccessHandle();
    } catch (error) {
      if (!isBusy(error) || tries === TRIES) throw error;
      await until(monotonic.now() + BETWEEN_MS, monotonic);
    }
  }
}

function close(): void {
  held?.close();
  held = null;
}

/** Whether there is such a file. One that another tab holds is one: its letters wait in it. */
export async function isAble(): Promise<boolean> {
  try {
    (await (await file()).createSyncAccessHandle()).close();
  } catch (error) {
    if (!isBusy(error)) return false;
  }
  return 'subtle' in crypto; // of secure contexts, as the file is
}

/** The plain image that lies there, if one does, and not still what this tab read or wrote last; the
 * file stays held until `write`. */
export async function read(): Promise<Uint8Array | null> {
  try {
    held = await open();
    const beginning = new Uint8Array(SEALED_AT);
    held.read(beginning, { at: 0 });
    if (equal(beginning, known)) return null;
    const image = new Uint8Array(IMAGE);
    if (held.read(image, { at: 0 }) !== IMAGE) return null;
    const plain = await unpackInFile(image);
    known = beginning;
    return plain;
  } catch (error) {
    if (!(error instanceof Refused)) close(); // what lies there is no image, and is written over
    return null;
  }
}

/** Put a plain image, packed with this key, in place of what lies there, or leave it (null), and let
 * go of the file. */
export async function write(plain: Uint8Array | null, key: Uint8Array): Promise<boolean> {
  try {
    if (!held || !plain) return false;
    const image = await packInFile(plain, key);
    if (held.getSize() !== IMAGE) held.truncate(IMAGE);
    const whole = held.write(image, { at: 0 }) === IMAGE;
    held.flush();
    if (whole) known = image.slice(0, SEALED_AT);
    return whole;
  } catch {
    return false;
  } finally {
    close();
  }
}
