/** Calls back when the signal is aborted, at once if it was before. Returns what stops that. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal?.aborted === true) callback();
  else signal?.addEventListener('abort', callback);
  return () => signal?.removeEventListener('abort', callback);
}
