/** Runs code of the application: what it throws must not break the connection, nor be lost. */
export function attempt(call: () => void, onThrow: (error: unknown) => void): void {
  try {
    call();
  } catch (error) {
    onThrow(error);
  }
}
