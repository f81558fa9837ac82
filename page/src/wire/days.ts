// Days and weeks of the record. Spec: record.md 1.

export const DAY_S = 86_400;
const WEEK_BASE_DAY = 19_723; // Monday 2024-01-01

export const weekOfDay = (day: number): number => Math.floor((day - WEEK_BASE_DAY) / 7);

/** The Monday of a week, in days since 1970-01-01. */
export const dayOfWeek = (week: number): number => WEEK_BASE_DAY + 7 * week;
