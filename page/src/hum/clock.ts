// Waiting until a moment of the monotonic clock, in steps: Firefox may fire one long timer up to an
// eighth of its length late, and how late depends on what else the page does.

export interface Clock {
  now(): number;
  after(ms: number, act: () => void): void;
}

export const monotonic: Clock = {
  now: () => performance.now(),
  after: (ms, act) => void setTimeout(act, ms),
};

const NEAR_MS = 8;
const STEP = 0.75;

/** Resolves when the clock reaches `moment`; at once when it has passed. */
export function until(moment: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const again = (): void => {
      const remaining = moment - clock.now();
      if (remaining > NEAR_MS) clock.after(STEP * remaining, again);
      else if (remaining > 0) clock.after(remaining, resolve);
      else resolve();
    };
    again();
  });
}
