import { ByteReader } from '../../../../base/byte-reader.js';
import type { ByteWriter } from '../../../../base/byte-writer.js';
import type { Clock, Timer } from '../../../../base/clock.js';
import { WireError } from '../../../../base/wire-error.js';
import { compileCodec } from '../../../../values/bsatn/codec.js';
import type { Codec } from '../../../../values/bsatn/codec.js';
import { ClientTag } from '../../messages/client-messages.js';
import { ConnectionError } from '../errors.js';
import type { UntypedReducerDef } from '../schema/remote-module.js';
import { lazyTypespace } from '../schema/type-builder.js';
import type { AnyTypeBuilder } from '../schema/type-builder.js';
import type { Outbox } from './outbox.js';

/* Calls of reducers and procedures: what was sent and is not answered yet. */

/** The reference server closes a connection that has more than 16,384 messages waiting. */
const PENDING_MAX = 16_384;

/** A reducer or procedure, ready to be called. */
export interface Callable {
  readonly tag: 3 | 4;
  readonly name: string;
  readonly params: Codec<object>;
  readonly returned: Codec | undefined;
}

export function compileCallable(def: UntypedReducerDef, returnType: AnyTypeBuilder | undefined): Callable {
  const params = compileCodec<object>(def.paramsType, lazyTypespace());
  const returned = returnType && compileCodec(returnType.algebraicType, lazyTypespace());
  const tag = returnType === undefined ? ClientTag.callReducer : ClientTag.callProcedure;
  return { tag, name: def.name, params, returned };
}

export interface PendingCall {
  readonly callable: Callable;
  readonly args: object;
  readonly startedMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  promise: Promise<unknown> | undefined;
}

/** Writes one call as one message. */
export type WriteCall = (writer: ByteWriter, callable: Callable, args: object, requestId: number) => void;

export interface CallsOptions {
  readonly clock: Clock;
  /** v2 and v3 unless something else is said. */
  readonly writeCall?: WriteCall;
  /** How long an answer may take; 0 waits as long as the connection lives. */
  readonly timeoutMs: number;
}

export class Calls {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #writeCall: WriteCall;
  readonly #pending = new Map<number, PendingCall>();
  readonly #idleWaiters: (() => void)[] = [];
  #timer: Timer | undefined;
  #closedBy: ConnectionError | undefined;
  #isSuspended = false;

  constructor(outbox: Outbox, { clock, timeoutMs, writeCall }: CallsOptions) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#writeCall = writeCall ?? writeCallV2;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Sends a call; the promise settles with its answer. Rejects with ConnectionError when it cannot be sent. */
  start(callable: Callable, args: object, requestId: number): Promise<unknown> {
    if (this.#closedBy !== undefined) return rejected(this.#closedBy);
    if (this.#isSuspended) {
      return rejected(
        new ConnectionError('DISCONNECTED', `not connected at the moment: \`${callable.name}\` was not sent`),
      );
    }
    if (this.#pending.size >= PENDING_MAX) {
      return rejected(
        new ConnectionError('BACKLOG_FULL', `${PENDING_MAX} calls wait for their answers already`),
      );
    }
    try {
      this.#write(callable, args, requestId);
    } catch (error) {
      return rejected(asConnectionError(error, callable.name));
    }
    return this.#track(callable, args, requestId);
  }

  /** The call that an answer belongs to; undefined when it was given up. */
  take(requestId: number): PendingCall | undefined {
    const call = this.#pending.get(requestId);
    if (call !== undefined) this.#pending.delete(requestId);
    this.#tellIdle();
    return call;
  }

  /** Resolves when nothing waits for an answer. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.#tellIdle();
    });
  }

  #tellIdle(): void {
    if (this.#idleWaiters.length === 0 || this.#pending.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** The connection is gone: nothing that waits will be answered. */
  close(error: ConnectionError): void {
    this.#closedBy ??= error;
    this.#giveUpAll(() => error);
  }

  /** The connection is cut: what waits will not be answered, and nothing can be called before `resume`. */
  suspend(cause: ConnectionError): void {
    this.#isSuspended = true;
    this.#giveUpAll(({ callable }) => {
      const text = `the connection broke before \`${callable.name}\` was answered: it may have taken effect or not`;
      const { closeCode, closeReason = '' } = cause;
      const facts = closeCode === undefined ? { cause } : { cause, closeCode, closeReason };
      return new ConnectionError('OUTCOME_UNKNOWN', text, facts);
    });
  }

  resume(): void {
    this.#isSuspended = false;
  }

  #giveUpAll(errorOf: (call: PendingCall) => ConnectionError): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of calls) giveUp(call, errorOf(call));
    this.#tellIdle();
  }

  /** Sends a call whose answer nobody waits for. Throws ConnectionError when it cannot be sent. */
  send(callable: Callable, args: object, requestId: number): void {
    if (this.#closedBy !== undefined) throw this.#closedBy;
    try {
      this.#write(callable, args, requestId);
    } catch (error) {
      throw asConnectionError(error, callable.name);
    }
  }

  #write(callable: Callable, args: object, requestId: number): void {
    const writer = this.#outbox.begin();
    try {
      this.#writeCall(writer, callable, args, requestId);
    } catch (error) {
      this.#outbox.cancel();
      throw error;
    }
    this.#outbox.end();
  }

  #track(callable: Callable, args: object, requestId: number): Promise<unknown> {
    let pending: PendingCall | undefined;
    const promise = new Promise<unknown>((resolve, reject) => {
      const startedMs = this.#timeoutMs > 0 ? this.#clock.monotonicMs() : 0;
      pending = { callable, args, startedMs, resolve, reject, promise: undefined };
      this.#pending.set(requestId, pending);
    });
    pending!.promise = promise;
    if (this.#timer === undefined && this.#timeoutMs > 0) this.#startTimer(this.#timeoutMs);
    return promise;
  }

  // One timer for all calls: they are asked in order, so the first of the map is the oldest.
  #startTimer(delayMs: number): void {
    this.#timer = this.#clock.startTimer(delayMs, () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const [requestId, call] of this.#pending) {
      const leftMs = call.startedMs + this.#timeoutMs - nowMs;
      if (leftMs > 0) {
        this.#startTimer(leftMs);
        return;
      }
      this.#pending.delete(requestId);
      const text = `no answer to \`${call.callable.name}\` within ${this.#timeoutMs} ms; it may still take effect`;
      giveUp(call, new ConnectionError('TIMEOUT', text));
    }
    this.#tellIdle();
  }
}

const writeCallV2: WriteCall = (writer, { tag, name, params }, args, requestId) => {
  writer.writeU8(tag);
  writer.writeU32(requestId);
  writer.writeU8(0);
  writer.writeString(name);
  writeArguments(writer, params, args);
};

/** The BSATN product of the arguments after its length, without a copy. */
export function writeArguments(writer: ByteWriter, params: Codec<object>, args: object): void {
  writer.writeU32(0);
  const start = writer.length;
  params.encode(writer, args);
  writer.view.setUint32(start - 4, writer.length - start, true);
}

/** The value that a procedure returned. Throws WireError. */
export function decodeReturned(callable: Callable, bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  const value = callable.returned?.decode(reader);
  reader.expectEnd();
  return value;
}

// What the connection does to calls is also told by onDisconnect: a call that nobody looks at must not end the process.
function giveUp(call: PendingCall, error: ConnectionError): void {
  call.promise?.catch(() => undefined);
  call.reject(error);
}

function rejected(error: ConnectionError): Promise<never> {
  const promise = Promise.reject(error);
  if (error.code !== 'BAD_ARGUMENTS') promise.catch(() => undefined);
  return promise;
}

function asConnectionError(error: unknown, name: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const reason = error instanceof WireError ? error.message : String(error);
  return new ConnectionError('BAD_ARGUMENTS', `cannot call \`${name}\`: ${reason}`, { cause: error });
}
