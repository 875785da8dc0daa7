import type { ConnectionId, Identity } from '../../../../values/identity.js';
import type { Timestamp } from '../../../../values/timestamp.js';

/** How a reducer ended, in the seed's words. */
export type ReducerStatus = 'committed' | 'failed' | 'outofenergy';

/** A reducer that was called, by us or somebody else: what the Python SDK calls ReducerEvent. */
export class ReducerCallEvent {
  readonly callerIdentity: Identity;
  /** Undefined when no connection called: a scheduled reducer, or one called over HTTP. */
  readonly callerAddress: ConnectionId | undefined;
  readonly reducerName: string;
  readonly status: ReducerStatus;
  /** Why it failed; undefined when it was committed. */
  readonly message: string | undefined;
  /** The arguments in their order; none when the package does not know the reducer. */
  readonly args: readonly unknown[];
  readonly timestamp: Timestamp;

  constructor(facts: {
    readonly callerIdentity: Identity;
    readonly callerAddress: ConnectionId | undefined;
    readonly reducerName: string;
    readonly status: ReducerStatus;
    readonly message: string | undefined;
    readonly args: readonly unknown[];
    readonly timestamp: Timestamp;
  }) {
    this.callerIdentity = facts.callerIdentity;
    this.callerAddress = facts.callerAddress;
    this.reducerName = facts.reducerName;
    this.status = facts.status;
    this.message = facts.message;
    this.args = facts.args;
    this.timestamp = facts.timestamp;
  }
}
