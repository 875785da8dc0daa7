/* Apart from `clock.ts`, which reads the platform's clock when it is loaded: pages that only need a timer are spared that. */

/** A timer that was started and can be stopped. */
export interface Timer {
  cancel(): void;
}

/** `startTimer` of the real clock, for those who need no more of it. */
export function startTimer(
  delayMs: number,
  callback: () => void,
  options?: { readonly keepsAlive?: boolean },
): Timer {
  const handle: unknown = setTimeout(callback, delayMs);
  // Node returns an object that can let the process end; browsers return a number.
  if (options?.keepsAlive !== true) (handle as { unref?: () => void }).unref?.();
  return { cancel: () => clearTimeout(handle as number) };
}
