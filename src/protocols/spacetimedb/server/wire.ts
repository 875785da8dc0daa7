import type { ByteWriter } from '../../../base/byte-writer.js';
import type { Commit, LiveListener, LiveQuery, QueryDelta, Viewer } from '../../../engine/contract.js';
import type { TxOffset } from '../../../engine/log/commit-log.js';
import type { Caller, ReducerOutcome } from '../../../module/module-def.js';
import type { Framing, Payload } from './framing.js';
import type { SessionLimits } from './limits.js';
import type { DatabaseRuntime } from './runtime.js';

/*
 * A session is a core that all versions of the protocol share (session.ts: begin and end, turns, limits, order, the
 * disk) and a wire: what the messages of one version mean, and their bytes.
 */

/** Who called from a connection. */
export type ConnectedCaller = Caller & { readonly connectionId: NonNullable<Caller['connectionId']> };

/** One version of the protocol on one connection. */
export interface Wire {
  readonly framing: Framing;
  /** Says the first message. */
  greet(): void;
  /** Handles the messages of one binary frame. Throws WireError for what is none; the session then closes. */
  receive(frame: Uint8Array): void;
  /** The same for a text frame. */
  receiveText(text: string): void;
  /** Says what somebody else's transaction changed of this connection's queries. */
  tell(commit: Commit, deltas: readonly QueryDelta[]): void;
  /** A query failed and is not followed any more. */
  queryFailed(query: LiveQuery, error: string): void;
  /** Stops following everything. */
  clear(): void;
}

/** What a wire may ask of its session. */
export interface WireSession extends LiveListener {
  readonly database: DatabaseRuntime;
  /** The tables that the client connected to. */
  readonly live: DatabaseRuntime['live'];
  readonly caller: ConnectedCaller;
  readonly token: string;
  readonly viewer: Viewer;
  readonly limits: SessionLimits;
  readonly isOpen: boolean;
  /** To be asked before each message; false when the client has said too much in this turn: it is closed then. */
  admit(): boolean;
  /** Runs a reducer for the client. What it changed of his queries is in `ownDeltas` until the next call. */
  callReducer(name: string, args: Uint8Array): ReducerOutcome;
  callReducerJson(name: string, args: string): ReducerOutcome;
  readonly ownDeltas: readonly QueryDelta[];
  /** Ends the connection soon, for versions that cannot say what went wrong. */
  fail(reason: string): void;
  /** The shared writer, for one message. `finish` has to follow before anything else is said. */
  claim(): ByteWriter;
  /**
   * Ends the message in the writer. @param offset the newest transaction that it may have seen, 0 if none can have been seen.
   * Left out: the newest there is, as a refusal, too, may have its reason in a row that is not on disk yet.
   */
  finish(writer: ByteWriter, offset?: TxOffset): void;
  /** Says a whole message that does not change any more. @param offset as for `finish`. */
  push(payload: Payload, offset?: TxOffset): void;
}
