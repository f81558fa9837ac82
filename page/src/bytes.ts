// Bytes in and out of numbers and text. Unsigned and big-endian everywhere (spec/README.md).

const utf8 = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const encodeText = (text: string): Uint8Array => utf8.encode(text);
export const ascii = encodeText;

/** UTF-8 or a TypeError: nothing is guessed or repaired. */
export const decodeText = (data: Uint8Array): string => strict.decode(data);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `value` as `size` bytes; exact up to 2^53. */
export function uint(value: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

export function toNumber(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

export const anySet = (bytes: Uint8Array): boolean => bytes.some((byte) => byte !== 0);

/** `data` with zeros behind it, `size` bytes in all. */
export function padded(data: Uint8Array, size: number): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(data);
  return whole;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Bytes of a hex string; null when it is none. */
export function fromHex(text: string): Uint8Array | null {
  if (!/^([0-9a-f]{2})*$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
