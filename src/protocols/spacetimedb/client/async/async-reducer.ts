import type { ConnectionId, Identity } from '../../../../values/identity.js';
import type { ByteReader } from '../../../../base/byte-reader.js';
import { compileCallable } from '../connection/calls.js';
import type { Callable } from '../connection/calls.js';
import { reducerSchema } from '../schema/remote-module.js';
import type { RowShape } from '../schema/type-builder.js';
import { CallbackList } from './callback-list.js';
import type { ReducerCallEvent, ReducerStatus } from './reducer-call-event.js';
import { SpacetimeDBException } from './spacetimedb-exception.js';

/** Who called, from which connection, how it ended, why it failed, and the arguments of the call. */
export type ReducerCallback<A extends readonly unknown[]> = (
  callerIdentity: Identity,
  callerAddress: ConnectionId | undefined,
  status: ReducerStatus,
  message: string | undefined,
  ...args: A
) => unknown;

/** What a reducer needs of a client: to send calls. */
export interface AsyncReducerHost {
  /** Throws SpacetimeDBException when the call cannot be sent. */
  sendCall(reducer: AsyncReducer, args: readonly unknown[]): void;
}

/** A reducer of a generated package, which wraps it in functions: `setName(...)`, `registerOnSetName(...)`. */
export class AsyncReducer<A extends readonly unknown[] = readonly unknown[]> {
  /** Canonical, as on the wire. */
  readonly reducerName: string;
  readonly #params: RowShape;
  readonly #properties: readonly string[];
  /** What the arguments are is known to who registers, see ReducerCallback. */
  readonly #callbacks = new CallbackList<readonly unknown[]>();
  #callable: Callable | undefined;
  #host: AsyncReducerHost | undefined;

  constructor(reducerName: string, params: RowShape) {
    this.reducerName = reducerName;
    this.#params = params;
    this.#properties = Object.keys(params);
  }

  /** Calls the reducer and does not wait for what becomes of it. Throws SpacetimeDBException when it cannot be sent. */
  call(...args: A): void {
    if (this.#host === undefined) {
      throw new SpacetimeDBException(
        'NOT_CONNECTED',
        `cannot call \`${this.reducerName}\`: make a SpacetimeDBAsyncClient with this package first`,
      );
    }
    this.#host.sendCall(this, args);
  }

  /** @param callback is called when a call changed rows that we follow, and when a call of our own failed. */
  register(callback: ReducerCallback<A>): void {
    this.#callbacks.add(callback as never);
  }

  unregister(callback: ReducerCallback<A>): void {
    this.#callbacks.remove(callback as never);
  }

  /** The reducer, compiled at first use. */
  get callable(): Callable {
    return (this.#callable ??= compileCallable(reducerSchema(this.reducerName, this.#params), undefined));
  }

  /** Positions to names. Throws SpacetimeDBException when there are too many or too few. */
  namedArguments(args: readonly unknown[]): object {
    if (args.length !== this.#properties.length) {
      const wanted = this.#properties.length === 0 ? 'no arguments' : this.#properties.join(', ');
      throw new SpacetimeDBException(
        'BAD_ARGUMENTS',
        `\`${this.reducerName}\` takes ${wanted}; it was given ${args.length} of ${this.#properties.length}`,
      );
    }
    return Object.fromEntries(this.#properties.map((property, position) => [property, args[position]]));
  }

  /** The arguments of somebody's call, in order. Throws WireError. */
  decodeArguments(reader: ByteReader): readonly unknown[] {
    const values = this.callable.params.decode(reader) as Readonly<Record<string, unknown>>;
    reader.expectEnd();
    return this.#properties.map((property) => values[property]);
  }

  /** For the client. */
  static attach(reducer: AsyncReducer, host: AsyncReducerHost): void {
    reducer.#host = host;
  }

  /** For the client: calls back for one call. */
  static emit(
    reducer: AsyncReducer,
    event: ReducerCallEvent,
    onThrow: (error: unknown) => void,
    isOpen: () => boolean,
  ): void {
    const { callerIdentity, callerAddress, status, message, args } = event;
    reducer.#callbacks.call([callerIdentity, callerAddress, status, message, ...args], onThrow, isOpen);
  }
}

/**
 * A reducer as generated packages write it.
 *
 * @example
 * export const reducer = asyncReducer<[name: string]>('set_name', { name: t.string() });
 */
export function asyncReducer<A extends readonly unknown[]>(
  reducerName: string,
  params: RowShape,
): AsyncReducer<A> {
  return new AsyncReducer<A>(reducerName, params);
}
