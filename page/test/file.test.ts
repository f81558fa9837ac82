// The Worker's file: what another tab put there is read, what this one knows is not read again, and the
// file is let go of after every turn. Spec: store.md 4.3, 5.1.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { draw } from '../src/entropy.js';
import { isAble, read, write } from '../src/store/file.js';
import { PLAIN } from '../src/store/image.js';
import { IMAGE, IMAGE_KEY, packInFile, unpackInFile } from '../src/store/packing.js';

/** A file in memory, held by one tab at a time, that counts what is read of it. */
class File implements FileSystemSyncAccessHandle {
  bytes = new Uint8Array(0);
  held = false;
  wasRead = 0;
  /** Bytes that a full disk takes of a write. */
  takes = IMAGE;

  async createSyncAccessHandle(): Promise<FileSystemSyncAccessHandle> {
    if (this.held) throw new DOMException('', 'NoModificationAllowedError');
    this.held = true;
    return this;
  }

  read(buffer: Uint8Array, { at }: { readonly at: number }): number {
    const some = this.bytes.subarray(at, at + buffer.length);
    buffer.set(some);
    this.wasRead += some.length;
    return some.length;
  }

  write(buffer: Uint8Array, { at }: { readonly at: number }): number {
    const some = buffer.subarray(0, this.takes);
    this.bytes.set(some, at);
    return some.length;
  }

  getSize(): number {
    return this.bytes.length;
  }

  truncate(size: number): void {
    this.bytes = new Uint8Array(size);
  }

  flush(): void {}

  close(): void {
    this.held = false;
  }
}

const file = new File();
const root = { getFileHandle: async () => file };
Object.defineProperty(globalThis, 'navigator', {
  value: { storage: { getDirectory: async () => root } }, configurable: true,
});

const imageOf = (byte: number): Uint8Array => new Uint8Array(PLAIN).fill(byte);
const keep = (plain: Uint8Array | null): Promise<boolean> => write(plain, draw(IMAGE_KEY));

/** What one turn reads, after which it puts `plain` there. */
async function turn(plain: Uint8Array | null): Promise<Uint8Array | null> {
  const lies = await read();
  assert.ok(file.held, 'no other tab writes within a turn');
  await keep(plain);
  assert.ok(!file.held);
  return lies;
}

/** Another tab's turn. */
async function elsewhere(plain: Uint8Array): Promise<void> {
  file.bytes = new Uint8Array(await packInFile(plain, draw(IMAGE_KEY)));
}

test('a turn reads what another tab put there, and does not read again what this one knows', async () => {
  assert.ok(await isAble());
  assert.equal(await turn(imageOf(1)), null, 'nothing lies there');
  assert.deepEqual(await unpackInFile(file.bytes), imageOf(1));
  file.wasRead = 0;
  assert.equal(await turn(imageOf(1)), null, 'what this tab wrote is no news to it');
  assert.ok(file.wasRead < 100);
  await elsewhere(imageOf(1));
  assert.deepEqual(await turn(null), imageOf(1), 'the same in it, and another rewrite');
  assert.equal(await turn(null), null);
  await elsewhere(imageOf(2));
  assert.deepEqual(await turn(imageOf(3)), imageOf(2));
  assert.deepEqual(await unpackInFile(file.bytes), imageOf(3));
});

test('a browser whose file another tab holds has the file all the same', async () => {
  file.held = true;
  assert.ok(await isAble());
  assert.ok(file.held, 'it stays with the other tab');
  file.held = false;
  assert.ok(await isAble());
  assert.ok(!file.held);
});

test('what is damaged is written over, and what did not fit is no image', async () => {
  await elsewhere(imageOf(4));
  file.bytes[IMAGE - 1] = (file.bytes[IMAGE - 1] as number) ^ 1;
  assert.equal(await turn(imageOf(5)), null);
  assert.deepEqual(await unpackInFile(file.bytes), imageOf(5));
  file.takes = 1000;
  await read();
  assert.equal(await keep(imageOf(6)), false);
  file.takes = IMAGE;
  assert.equal(await turn(imageOf(7)), null, 'half of an image is none');
  assert.deepEqual(await unpackInFile(file.bytes), imageOf(7));
  file.bytes = file.bytes.slice(1);
  assert.equal(await turn(imageOf(8)), null);
  assert.equal(file.bytes.length, IMAGE);
});
