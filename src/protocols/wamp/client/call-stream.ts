import { Call } from './call.js';
import type { CallOptions } from './call-options.js';
import { DRAIN_CHECK_MS, HIGH_WATER_BYTES } from './limits.js';
import type { Link } from './link.js';
import { NO_ARGS, NO_KWARGS } from './payload.js';
import type { Args, Kwargs } from './payload.js';
import type { Sending } from './request.js';
import { misuse } from './results.js';
import type { InvocationProgress } from './results.js';

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
  readonly #highWaterBytes: number;
  /** The call behind it: to cancel, to await the result. */
  readonly call: Call<Value, Progress>;
  /** The first CALL takes an id, which is known when the others leave. */
  #sent: Sending['sent'] = (id, session) => this.call.sent(id, session);
  #isEnded = false;

  constructor(link: Link, procedure: string, options: StreamOptions) {
    this.#link = link;
    this.#highWaterBytes = options.highWaterBytes ?? HIGH_WATER_BYTES;
    this.call = new Call(link, procedure, NO_ARGS, options);
  }

  /** Sends arguments, when there is room. False when nobody wants them any more. */
  async write(args: Args, kwargs?: Kwargs): Promise<boolean> {
    const { session, clock } = this.#link;
    while (!this.call.done && session.isOpen && session.transport.bufferedBytes > this.#highWaterBytes) {
      await new Promise<void>((resolve) => clock.startTimer(DRAIN_CHECK_MS, resolve));
    }
    // Frames of this turn leave before more of them are made.
    await Promise.resolve();
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

  [Symbol.asyncIterator](): AsyncIterator<InvocationProgress<Progress>, undefined> {
    return this.call[Symbol.asyncIterator]();
  }

  #send(args: Args, kwargs: Kwargs | undefined, isOpenEnded: boolean): boolean {
    const { call } = this;
    if (this.#isEnded) throw misuse('the stream has ended');
    this.#isEnded = !isOpenEnded;
    if (call.done) return false;
    this.#link.request({
      toMessage: (id) => call.toMessage(call.requestId ?? id, args, kwargs ?? NO_KWARGS, isOpenEnded),
      sent: this.#sent,
      failed: (error) => call.failed(error),
    });
    this.#sent = undefined;
    return true;
  }
}
