/**
 * Something that `scheduleEvent` will do.
 *
 * @example
 * const { datetime } = client.scheduleEvent(0.1, checkCommands)
 */
export class SpacetimeDBScheduledEvent<A extends readonly unknown[] = readonly unknown[]> {
  /** When it is due, by the wall clock. */
  readonly datetime: Date;
  readonly callback: (...args: A) => unknown;
  readonly args: A;

  constructor(datetime: Date, callback: (...args: A) => unknown, args: A) {
    this.datetime = datetime;
    this.callback = callback;
    this.args = args;
  }
}
