import * as MessageType from '../messages/message-type.js';
import { callDict } from './call-options.js';
import type { CallOptions } from './call-options.js';
import type { Call, CallInit } from './call.js';
import type { Caller } from './caller.js';
import type { Link } from './link.js';
import { NO_ARGS, encodePayload } from './payload.js';
import type { Args, Kwargs } from './payload.js';
import { misuse } from './results.js';
import type { InvocationProgress } from './results.js';

/** 1 MiB: a few round trips of a fast network; more would only wait. */
const HIGH_WATER_BYTES = 1024 * 1024;

/** How often a full connection is looked at: platforms do not tell when it has drained. */
const DRAIN_CHECK_MS = 10;

export interface StreamOptions extends CallOptions {
  /** `write` waits while the connection holds more than this. 1 MiB unless given. */
  readonly highWaterBytes?: number;
}

/**
 * A call whose arguments come bit by bit, each a CALL of its own; and so may its results.
 *
 *     const upload = client.stream('com.app.upload');
 *     for (const chunk of chunks) await upload.write([chunk]);
 *     const receipt = await upload.end();
 */
export class CallStream<Value = unknown, Progress extends Args = Args> implements AsyncIterable<
  InvocationProgress<Progress>
> {
  readonly #link: Link;
  readonly #options: StreamOptions;
  readonly #init: { -readonly [Key in keyof CallInit]: CallInit[Key] };
  /** The call behind it: to cancel, to await the result. */
  readonly call: Call<Value, Progress>;
  #state: 'new' | 'open' | 'ended' = 'new';

  constructor(link: Link, caller: Caller, procedure: string, options: StreamOptions) {
    this.#link = link;
    this.#options = options;
    this.#init = { procedure, args: NO_ARGS, options, isOpenEnded: true };
    this.call = caller.prepare<Value, Progress>(this.#init);
  }

  /** Sends arguments, when there is room. False when nobody wants them any more. */
  async write(args: Args, kwargs?: Kwargs): Promise<boolean> {
    await this.#room();
    return this.#send(args, kwargs, true);
  }

  /** Sends the last arguments, and waits for the result. */
  async end(args: Args = NO_ARGS, kwargs?: Kwargs): Promise<Value> {
    this.#send(args, kwargs, false);
    return await this.call;
  }

  cancel(...parameters: Parameters<Call['cancel']>): void {
    this.call.cancel(...parameters);
  }

  [Symbol.asyncIterator](): AsyncIterator<InvocationProgress<Progress>> {
    return this.call[Symbol.asyncIterator]();
  }

  #send(args: Args, kwargs: Kwargs | undefined, isOpenEnded: boolean): boolean {
    if (this.#state === 'ended') throw misuse('the stream has ended');
    const isFirst = this.#state === 'new';
    this.#state = isOpenEnded ? 'open' : 'ended';
    if (this.call.done) return false;
    if (isFirst) this.#begin(args, kwargs, isOpenEnded);
    else this.#continue(args, kwargs, isOpenEnded);
    return true;
  }

  #begin(args: Args, kwargs: Kwargs | undefined, isOpenEnded: boolean): void {
    this.#init.args = args;
    this.#init.options = { ...this.#options, kwargs };
    this.#init.isOpenEnded = isOpenEnded;
    this.#link.request(this.call);
  }

  #continue(args: Args, kwargs: Kwargs | undefined, isOpenEnded: boolean): void {
    const { procedure } = this.#init;
    // Its id is known when the first CALL has left, which is before this one.
    this.#link.sendAfter(this.call, (request) => ({
      type: MessageType.call,
      request,
      options: callDict(this.#options, this.call.wantsProgress, isOpenEnded),
      procedure,
      payload: encodePayload(args, kwargs, this.#options.passThru),
    }));
  }

  async #room(): Promise<void> {
    const { highWaterBytes = HIGH_WATER_BYTES } = this.#options;
    while (!this.call.done && (this.#link.session?.transport.bufferedBytes ?? 0) > highWaterBytes) {
      await new Promise<void>((resolve) => this.#link.clock.startTimer(DRAIN_CHECK_MS, resolve));
    }
    // Frames of this turn leave before more of them are made.
    await Promise.resolve();
  }
}
