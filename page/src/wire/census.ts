// The census: what one cover in eight reports. B counts it; the page never reads the count. Spec:
// census.md 1.

import type { Draw } from '../entropy.js';
import { Kind, type Report, SILENT } from './hello.js';

export const ONE_IN = 8;
export const CHANNELS = 255;

/** What this page load's hum reports. The coin is thrown whatever the hum holds. */
export function reportOf(kind: Kind, channel: number, language: number, draw: Draw): Report {
  const chosen = (draw(1)[0] as number) % ONE_IN === 0;
  return chosen && kind === Kind.COVER ? { channel: channel + 1, language } : SILENT;
}
