// The two ways in which an image is packed, for tests that hold of both. Spec: store.md 1.2.

import { draw } from '../src/entropy.js';
import { IMAGE_KEY, pack, packInFile, unpack, unpackInFile } from '../src/store/packing.js';

/** The page's own packing, and the browser's. */
export const PACKINGS = [
  {
    packed: async (plain: Uint8Array): Promise<Uint8Array> => pack(plain, draw(IMAGE_KEY)),
    unpacked: async (image: Uint8Array): Promise<Uint8Array> => unpack(image),
  },
  {
    packed: (plain: Uint8Array): Promise<Uint8Array> => packInFile(plain, draw(IMAGE_KEY)),
    unpacked: unpackInFile,
  },
];
