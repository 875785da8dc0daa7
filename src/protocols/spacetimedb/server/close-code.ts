/** The codes this protocol closes with (RFC 6455 section 7.4.1 and the reference server's use of them). */
export const CloseCode = {
  /** The module is gone: "module exited". */
  away: 1001,
  /** What came was no message, or we failed. */
  error: 1011,
  /** Too much at once: come again later. */
  again: 1013,
} as const;
