import { waitUntilDurable } from '../engine/log/commit-log.js';
import { SenderError } from '../module/errors.js';
import type { SchemaShape } from '../module/db-view.js';
import type { Caller } from '../module/module-def.js';
import type { ReducerCtx } from '../module/reducer-ctx.js';
import type { ModuleProcedure, RpcCtx } from '../module/rpc.js';
import { Payload } from '../protocols/wamp/messages/payload.js';
import { Uris } from '../protocols/wamp/messages/uri.js';
import type { LocalInvocation } from '../protocols/wamp/server/local-invocation.js';
import type { HostedDatabase } from './hosted-database.js';
import { CallContext } from './module-context.js';

// Values of a generator that never waits; then others have their turn.
const CHUNKS_PER_TURN = 100;
const LOG_FAILED = "the database's log has failed: what was done may be lost";

/** One call of a module's procedure. Nothing leaves before all that its transactions saw is on disk, refusals neither. */
export class ModuleCall {
  readonly #database: HostedDatabase;
  readonly #procedure: ModuleProcedure;
  readonly #invocation: LocalInvocation;
  readonly #name: string;
  /** What the transactions of this call saw at most. */
  #seen = 0;
  /** Answers that wait for the disk, in order. */
  #waiting: Promise<void> | undefined;

  constructor(database: HostedDatabase, procedure: ModuleProcedure, invocation: LocalInvocation) {
    this.#database = database;
    this.#procedure = procedure;
    this.#invocation = invocation;
    this.#name = `rpc ${procedure.uri}`;
  }

  run(caller: Caller): void {
    const { args } = this.#invocation;
    const answer = async (result: unknown): Promise<void> =>
      isGenerator(result) ? this.#drive(result) : this.#result(result);
    const fail = (error: unknown): void => this.#fail(error);
    try {
      const result = this.#procedure.handler(this.#makeContext(caller), ...(args as readonly never[]));
      if (result instanceof Promise) result.then(answer).catch(fail);
      else if (isGenerator(result)) this.#drive(result).catch(fail);
      else this.#result(result);
    } catch (error) {
      fail(error);
    }
  }

  #makeContext(caller: Caller): RpcCtx<SchemaShape> {
    const invocation = this.#invocation;
    return new CallContext(this.#database, caller, invocation, {
      withTx: (body) => this.#transact(caller, body),
      progress: (args, kwargs) => this.#whenDurable(() => invocation.progress(Payload.of(args, kwargs))),
    });
  }

  #transact<Result>(caller: Caller, body: (ctx: ReducerCtx<SchemaShape>) => Result): Result {
    try {
      // Looked up each time: the tables may have been replaced since the call began.
      return this.#database.host.transact(this.#name, caller, body);
    } finally {
      this.#seen = this.#database.log.lastOffset;
    }
  }

  /** Sends what the generator yields, as fast as the caller reads. When the call is canceled the generator is told to return. */
  async #drive(generator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
    const invocation = this.#invocation;
    for (let chunks = 1, inputs = 0; ; chunks++) {
      const { done, value } = await generator.next();
      if (done === true) return this.#result(value);
      this.#whenDurable(() => invocation.progress(payloadOf(value)));
      await this.#waiting;
      await invocation.paced();
      if (invocation.inputsTaken > inputs) {
        // It has to wait for more soon enough; and if it read less in a turn than comes, it would fall behind.
        [chunks, inputs] = [0, invocation.inputsTaken];
      } else if (chunks % CHUNKS_PER_TURN === 0) await new Promise((resolve) => void setImmediate(resolve));
      if (!invocation.isAborted) continue;
      await generator.return?.();
      return invocation.fail(Uris.canceled);
    }
  }

  #result(value: unknown): void {
    this.#whenDurable(() => this.#invocation.result(payloadOf(value)));
  }

  #whenDurable(send: () => void): void {
    const { log } = this.#database;
    const seen = this.#seen;
    if (this.#waiting === undefined && seen <= log.durableOffset) return send();
    const lost = (): void => this.#invocation.fail(Uris.runtimeError, [LOG_FAILED]);
    const before = this.#waiting ?? Promise.resolve();
    const waiting = before
      .then(() => waitUntilDurable(log, seen))
      .then(send, lost)
      .then(() => void (this.#waiting === waiting && (this.#waiting = undefined)));
    this.#waiting = waiting;
  }

  #fail(error: unknown): void {
    const invocation = this.#invocation;
    const answer = (uri: string, ...args: string[]): void =>
      this.#whenDurable(() => invocation.fail(uri, args));
    if (error instanceof SenderError) return answer(Uris.runtimeError, error.message);
    const isCanceled = invocation.isAborted && error instanceof Error && error.name === 'AbortError';
    if (isCanceled) return answer(Uris.canceled);
    this.#database.host.reportCrash(this.#name, error);
    answer(Uris.runtimeError, 'internal error');
  }
}

function payloadOf(value: unknown): Payload {
  return Payload.of(value === undefined ? [] : [value]);
}

function isGenerator(value: unknown): value is Iterator<unknown> | AsyncIterator<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'next' in value &&
    typeof value.next === 'function' &&
    (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
