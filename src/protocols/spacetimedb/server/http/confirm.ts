import { waitUntilDurable } from '../../../../engine/log/commit-log.js';
import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpResponse } from '../../../../net/http/http-message.js';
import type { DatabaseRequest } from './authentication.js';

type Handler = (caller: DatabaseRequest) => Promise<HttpResponse>;

/**
 * Has answers, refusals too, leave when all that they may have seen is on disk; 503 when the disk is lost.
 * @param waits whether this caller wants that.
 */
export function confirmed(
  handle: Handler,
  waits: (caller: DatabaseRequest) => boolean = () => true,
): Handler {
  return async (caller) => {
    try {
      return await handle(caller);
    } finally {
      if (waits(caller)) await confirm(caller);
    }
  };
}

async function confirm({ database: { log } }: DatabaseRequest): Promise<void> {
  try {
    await waitUntilDurable(log);
  } catch {
    throw new HttpError(503, 'the database cannot write to its disk: what was done may be lost');
  }
}
