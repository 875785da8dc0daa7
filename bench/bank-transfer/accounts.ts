/** How many accounts the bank has, and what each holds at first. */
export const ACCOUNTS = 100_000;
export const INITIAL_BALANCE = 1_000_000_000n;
