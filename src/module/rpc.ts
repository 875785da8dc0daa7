import type { SchemaShape } from './db-view.js';
import type { SocketCtx } from './socket.js';

/* Procedures that WAMP callers call. */

/** What a procedure is told. It is no transaction; `withTx` runs one. */
export interface RpcCtx<S extends SchemaShape> extends Omit<SocketCtx<S>, 'broadcast'> {
  /** As the caller was authenticated in the realm. */
  readonly authid: string;
  readonly authrole: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/**
 * The positional arguments are as the caller sent them: check what matters. What it returns is the result, undefined is none;
 * a SenderError that it throws is told to the caller.
 */
export type RpcHandler<S extends SchemaShape, Args extends readonly unknown[] = readonly never[]> = (
  ctx: RpcCtx<S>,
  ...args: Args
) => unknown;
