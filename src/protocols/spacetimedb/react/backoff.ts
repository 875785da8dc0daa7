/** The first attempt to come back; it doubles with each that fails. */
const FIRST_MS = 500;

/** Half a minute: a server that is back should not be without its clients for longer. */
const LONGEST_MS = 30_000;

/**
 * How long to wait before an attempt, in milliseconds: between half of the time and all of it, so that the clients of a
 * server that was restarted do not come back at once.
 *
 * @param failures how many attempts have failed in a row, from 1.
 */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return ceilingMs / 2 + (ceilingMs / 2) * random();
}
