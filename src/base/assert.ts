/** Thrown when an invariant of ours is broken. It is a defect in Chorale, never the fault of a peer. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Checks an invariant. Stays on in production: a wrong answer is worse than a stopped one. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Closes a discriminated union: the compiler complains when a case is missing. */
export function assertNever(value: never, what = 'case'): never {
  throw new InvariantError(`unexpected ${what}: ${String(value)}`);
}
