import type { SchemaShape } from './db-view.js';
import type { ReducerCtx } from './reducer-ctx.js';
import type { SocketCtx } from './socket.js';

/* Procedures that WAMP callers call, and who may do what in the realm of the database. */

interface MemberCtx<S extends SchemaShape> extends Omit<SocketCtx<S>, 'broadcast' | 'withTx'> {
  /** As the caller was authenticated in the realm. */
  readonly authid: string;
  readonly authrole: string;
}

/** Who is about to do something in the realm, and the tables, to be read only: what writes throws. */
export interface RealmCtx<S extends SchemaShape> extends MemberCtx<S>, Pick<ReducerCtx<S>, 'db'> {}

/** What one message of a call brings. */
export interface RpcArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** What a procedure is told. It is no transaction; `withTx` runs one. */
export interface RpcCtx<S extends SchemaShape> extends MemberCtx<S>, Pick<SocketCtx<S>, 'withTx'> {
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** What was called: under a pattern, the name that fits it. */
  readonly procedure: string;
  /** INVOCATION.Details: who calls if that is disclosed, the trust level. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Aborted when the call is canceled, its time is over or its caller has gone. */
  readonly signal: AbortSignal;
  /** Whether the caller asked for progressive results. */
  readonly wantsProgress: boolean;
  /**
   * The arguments of a progressive call as they come, the first ones too; those of an ordinary call. Ends behind the last ones. Throws
   * when the call is canceled. A caller who is too far ahead (by `queueBytes` of the router) has an error, and the call is canceled.
   *
   * @example
   * const sum = app.rpc('com.example.sum', async (ctx) => {
   *   let sum = 0;
   *   for await (const { args } of ctx.input) sum += Number(args[0]);
   *   return sum;
   * });
   */
  readonly input: AsyncIterable<RpcArguments>;
  /** Sends a progressive result, to a caller who asked for it. What transactions did before is on disk when it leaves. */
  progress(args: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>): void;
}

/**
 * The positional arguments are as the caller sent them: check what matters. What it returns is the result, undefined is none; of a
 * generator, what it yields are progressive results. A SenderError that it throws is told to the caller. The answer leaves when the
 * transactions of the call are on disk.
 */
export type RpcHandler<S extends SchemaShape, Args extends readonly unknown[] = readonly never[]> = (
  ctx: RpcCtx<S>,
  ...args: Args
) => unknown;

export type RpcMatch = 'exact' | 'prefix' | 'wildcard';

/** How a procedure is registered. A procedure of the module is taken from clients that have it, unless both share it alike. */
export interface RpcOptions {
  /** What the URI is: a name, the beginning of names, or a name whose empty components take any. Default `exact`. */
  readonly match?: RpcMatch;
  /** Who is called when clients register it by the same policy. Default `single`: the module alone. */
  readonly invoke?: 'single' | 'roundrobin' | 'random' | 'first' | 'last';
  /** Calls at the same time; one more is `wamp.error.no_available_callee`. Default: any number. */
  readonly concurrency?: number;
  /** Puts the caller's session id into `details`, whether it asked for that or not. */
  readonly discloseCaller?: boolean;
}

/** A procedure of a module. */
export interface ModuleProcedure extends RpcOptions {
  readonly uri: string;
  readonly handler: RpcHandler<SchemaShape>;
}

/** What somebody is about to do in the realm. */
export interface RealmRequest {
  readonly action: 'call' | 'register' | 'publish' | 'subscribe';
  readonly uri: string;
  /** `exact` for calls and publications. */
  readonly match: RpcMatch;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface RealmAnswer {
  readonly allow: boolean;
  /** Tells callees and subscribers who it is. */
  readonly disclose?: boolean;
  /** Details.trustlevel of the invocation or the event. */
  readonly trustLevel?: number;
  /** How long the answer holds for the same session, action, match and URI. Default 0: ask again. */
  readonly cacheMs?: number;
}

export interface RealmHandlers<S extends SchemaShape> {
  /** Decides on everything that members do, before anything is looked up. What it throws is a no. */
  readonly authorize?: (
    ctx: RealmCtx<S>,
    request: RealmRequest,
  ) => boolean | RealmAnswer | Promise<boolean | RealmAnswer>;
}

// As the router has them (spec "URIs", loose); names below `wamp` are its own.
const NAME = /^(?!wamp(\.|$))[^\s.#]+(\.[^\s.#]+)*$/;
const PREFIX = /^(?!wamp(\.|$))[^\s.#]+(\.[^\s.#]+)*\.?$/;
const WILDCARD = /^(?!wamp(\.|$))[^\s#]+$/;

/** Whether a module may use `uri` for a procedure or a topic. */
export function isModuleUri(uri: string, match: RpcMatch = 'exact'): boolean {
  return (match === 'exact' ? NAME : match === 'prefix' ? PREFIX : WILDCARD).test(uri);
}
