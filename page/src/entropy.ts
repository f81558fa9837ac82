// The only source of chance in our own code. X-Wing's encapsulation draws its own, inside the
// library and from the same place (spec/crypto.md, last paragraph).

export type Draw = (size: number) => Uint8Array;

export const draw: Draw = (size) => crypto.getRandomValues(new Uint8Array(size));

/** A number in [0, 1) out of 48 drawn bits. */
export function uniform(from: Draw = draw): number {
  let value = 0;
  for (const byte of from(6)) value = value * 256 + byte;
  return value / 2 ** 48;
}

/** A whole number in [0, below), without the slight lean of a remainder. */
export function whole(below: number, from: Draw = draw): number {
  return Math.floor(uniform(from) * below);
}
