/** One end of a range. */
export type Bound<T> =
  | { readonly tag: 'included'; readonly value: T }
  | { readonly tag: 'excluded'; readonly value: T }
  | { readonly tag: 'unbounded' };

/**
 * What an ordered index is asked for; an end left out is open.
 *
 * @example
 * ctx.db.message.sent.filter(new Range({ tag: 'included', value: from }, { tag: 'excluded', value: to }))
 */
export class Range<T> {
  readonly from: Bound<T>;
  readonly to: Bound<T>;

  constructor(from?: Bound<T> | null, to?: Bound<T> | null) {
    this.from = from ?? { tag: 'unbounded' };
    this.to = to ?? { tag: 'unbounded' };
  }
}
