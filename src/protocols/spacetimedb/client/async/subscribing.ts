import { ConnectionError } from '../errors.js';
import type { ProblemLog } from '../errors.js';
import { SpacetimeDBException } from './spacetimedb-exception.js';
import type { V1Connection } from './v1-connection.js';

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: SpacetimeDBException) => void;
}

/** Changes of the subscription that the server has not answered yet. */
export class Subscribing {
  readonly #connection: V1Connection;
  readonly #log: ProblemLog;
  readonly #waiting = new Map<number, Waiting>();

  constructor(connection: V1Connection, log: ProblemLog) {
    this.#connection = connection;
    this.#log = log;
  }

  start(queries: readonly string[], requestId: number): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      this.#waiting.set(requestId, { resolve, reject });
      try {
        this.#connection.send({ kind: 'subscribe', queries, requestId });
      } catch (error) {
        this.#waiting.delete(requestId);
        reject(SpacetimeDBException.from(error));
      }
    });
    // Who does not look at the promise reads the log; it must not end his process.
    promise.catch(() => undefined);
    return promise;
  }

  applied(requestId: number): void {
    this.#take(requestId)?.resolve();
  }

  failed(requestId: number, error: ConnectionError): void {
    this.#log('error', `subscription failed: ${error.message}`);
    this.#take(requestId)?.reject(SpacetimeDBException.from(error));
  }

  /** The connection is gone: nothing that waits will be answered. */
  close(error: ConnectionError): void {
    for (const { reject } of this.#waiting.values()) reject(SpacetimeDBException.from(error));
    this.#waiting.clear();
  }

  #take(requestId: number): Waiting | undefined {
    const waiting = this.#waiting.get(requestId);
    this.#waiting.delete(requestId);
    return waiting;
  }
}
