/** How the URI of a subscription or registration is compared; leave it out for `exact`. */
export const MatchPolicy = { exact: 'exact', prefix: 'prefix', wildcard: 'wildcard' } as const;
export type MatchPolicy = (typeof MatchPolicy)[keyof typeof MatchPolicy];

/** Who of several callees with the same procedure is called. */
export const InvocationPolicy = {
  single: 'single',
  roundRobin: 'roundrobin',
  random: 'random',
  first: 'first',
  last: 'last',
} as const;
export type InvocationPolicy = (typeof InvocationPolicy)[keyof typeof InvocationPolicy];

/**
 * What happens when a call is cancelled: `skip` leaves the callee alone, `kill` waits for its answer, `killnowait` interrupts it
 * and does not wait.
 */
export const CancelMode = { skip: 'skip', kill: 'kill', killNoWait: 'killnowait' } as const;
export type CancelMode = (typeof CancelMode)[keyof typeof CancelMode];
