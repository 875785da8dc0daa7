import type { CommitLog, TxOffset } from '../../../engine/log/commit-log.js';

/** Resolves when everything up to `offset` is on disk; rejects when the log failed and it never will be. */
export function whenDurable(log: CommitLog, offset: TxOffset): Promise<void> {
  if (log.durableOffset >= offset) return Promise.resolve();
  if (log.failure !== undefined) return Promise.reject(log.failure);
  return new Promise((resolve, reject) => {
    const stopDurable = log.onDurable((durable) => {
      if (durable < offset) return;
      stop();
      resolve();
    });
    const stopFailed = log.onFailed((failure) => {
      stop();
      reject(failure);
    });
    const stop = (): void => {
      stopDurable();
      stopFailed();
    };
  });
}
