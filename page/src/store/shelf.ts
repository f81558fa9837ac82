// Where the image lies. One interface, so that an OPFS file can take the place of localStorage:
// localStorage exists in every context (http, file, private windows) but leaves older copies behind.

import { IMAGE } from './image.js';

export interface Shelf {
  /** The image as it lies there now; null when there is none. */
  read(): Uint8Array | null;
  /** Whether it is kept: a browser may refuse. */
  write(image: Uint8Array): boolean;
}

const KEY = 'wallflower';
const CHUNK = 0x8000;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export const localShelf: Shelf = {
  read() {
    try {
      const text = localStorage.getItem(KEY);
      if (!text || text.length > 2 * IMAGE) return null;
      return fromBase64(text);
    } catch {
      return null;
    }
  },
  write(image) {
    try {
      localStorage.setItem(KEY, toBase64(image));
      return true;
    } catch {
      return false;
    }
  },
};
