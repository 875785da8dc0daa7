import type { CommitLog, TxOffset } from '../../../../engine/log/commit-log.js';
import { HttpError } from '../../../../net/http/http-error.js';
import { whenDurable } from '../when-durable.js';

/** Waits until everything up to `offset` is on disk; 503 when the disk is lost. */
export async function confirm(log: CommitLog, offset: TxOffset): Promise<void> {
  try {
    await whenDurable(log, offset);
  } catch {
    throw new HttpError(503, 'the database cannot write to its disk: what was done may be lost');
  }
}
