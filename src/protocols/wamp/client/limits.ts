/* How much, and how long, at most. What options can change is said with the options. */

/** 15 s: long enough for a slow key derivation at both ends. */
export const JOIN_TIMEOUT_MS = 15_000;

/** 5 s, longer than a round trip on the worst line: who has not answered GOODBYE by then is gone. */
export const GOODBYE_MS = 5_000;

/** 10,000: more requests than that while there is no connection are a mistake, or a leak. */
export const REQUESTS_WAITING_MAX = 10_000;

/** 10,000: more calls than that while the code that answers them is on its way are somebody else's. */
export const CALLS_WAITING_MAX = 10_000;

/** 10,000: a slow reader of progress should be told, not fill the memory. */
export const PROGRESS_WAITING_MAX = 10_000;

/** 1,000: enough events for a burst, and no burden to forget. */
export const EVENTS_WAITING_MAX = 1_000;

/** 1 MiB of arguments under way: a few round trips of a fast network; more would only wait. */
export const HIGH_WATER_BYTES = 1_048_576;

/** How often a full connection is looked at: platforms do not tell when it has drained. */
export const DRAIN_CHECK_MS = 10;
