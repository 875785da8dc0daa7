import type { CancelMode } from './policies.js';
import type { Dict, Kwargs } from './payload.js';
import type { PassThru } from './payload-passthru.js';

export interface CallOptions<K = Kwargs> {
  /** Named arguments. */
  readonly kwargs?: K | undefined;
  /** Asks for progress. Using any part of the call that shows progress, in the same turn, asks for it, too. */
  readonly receiveProgress?: boolean | undefined;
  /** The call fails with `wamp.error.timeout` after so many milliseconds without an answer. 0 means never. */
  readonly callTimeoutMs?: number | undefined;
  /** What `cancel()` and the signal do unless they say otherwise. `killnowait` unless given. */
  readonly cancelMode?: CancelMode | undefined;
  /** Tells the callee who calls. */
  readonly discloseMe?: boolean | undefined;
  /** Which of several callees is called depends on this key. */
  readonly resourceKey?: string | undefined;
  /** Cancels the call when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** How many progressive results may wait to be read; one more fails the call. 10,000 unless given. */
  readonly progressLimit?: number | undefined;
  /** Sends the payload in a form that the router passes through unseen. */
  readonly passThru?: PassThru | undefined;
  /** More options for CALL, as they stand in the message; these win. */
  readonly options?: Dict | undefined;
}

export function callDict(
  options: CallOptions<unknown>,
  receiveProgress: boolean,
  isOpenEnded: boolean,
): Dict {
  const { callTimeoutMs, resourceKey } = options;
  return {
    receive_progress: receiveProgress || undefined,
    progress: isOpenEnded || undefined,
    timeout: callTimeoutMs && Math.round(callTimeoutMs),
    disclose_me: options.discloseMe,
    rkey: resourceKey,
    runmode: resourceKey === undefined ? undefined : 'partition',
    ...options.passThru?.options(),
    ...options.options,
  };
}
