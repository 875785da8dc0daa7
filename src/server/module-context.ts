import type { SchemaShape } from '../module/db-view.js';
import type { Caller } from '../module/module-def.js';
import type { AuthCtx } from '../module/reducer-ctx.js';
import type { RealmCtx, RpcArguments, RpcCtx } from '../module/rpc.js';
import type { Dict } from '../protocols/wamp/messages/message.js';
import type { LocalInvocation } from '../protocols/wamp/server/local-invocation.js';
import type { SessionInfo } from '../protocols/wamp/server/options.js';
import type { ConnectionId, Identity } from '../values/identity.js';
import type { Timestamp } from '../values/timestamp.js';
import type { HostedDatabase } from './hosted-database.js';

/** What concerns one member of a realm. Made for every call: an object with accessors of its own would cost more than the call. */
class MemberContext {
  readonly authid: string;
  readonly authrole: string;
  readonly #inner: ReturnType<HostedDatabase['host']['makeContext']>;

  constructor({ host }: HostedDatabase, caller: Caller, { authid, authrole }: SessionInfo) {
    this.#inner = host.makeContext(caller);
    this.authid = authid;
    this.authrole = authrole;
  }

  get sender(): Identity {
    return this.#inner.sender;
  }

  get databaseIdentity(): Identity {
    return this.#inner.databaseIdentity;
  }

  get connectionId(): ConnectionId | null {
    return this.#inner.connectionId;
  }

  get timestamp(): Timestamp {
    return this.#inner.timestamp;
  }

  get senderAuth(): AuthCtx {
    return this.#inner.senderAuth;
  }
}

/** What a module is told that decides what a member of its realm may do. */
export class RealmContext extends MemberContext implements RealmCtx<SchemaShape> {
  readonly db: RealmCtx<SchemaShape>['db'];

  constructor(database: HostedDatabase, caller: Caller, session: SessionInfo) {
    super(database, caller, session);
    this.db = database.host.db;
  }
}

/** What a call's context does by functions. */
export interface CallActions {
  readonly withTx: RpcCtx<SchemaShape>['withTx'];
  readonly progress: RpcCtx<SchemaShape>['progress'];
}

/** What a procedure is told. */
export class CallContext extends MemberContext implements RpcCtx<SchemaShape> {
  /** Functions that may be taken out of the context. */
  readonly withTx: CallActions['withTx'];
  readonly progress: CallActions['progress'];
  readonly #invocation: LocalInvocation;

  constructor(database: HostedDatabase, caller: Caller, invocation: LocalInvocation, actions: CallActions) {
    super(database, caller, invocation.caller);
    this.#invocation = invocation;
    this.withTx = actions.withTx;
    this.progress = actions.progress;
  }

  get kwargs(): Dict {
    return this.#invocation.kwargs;
  }

  get procedure(): string {
    return this.#invocation.procedure;
  }

  get details(): Dict {
    return this.#invocation.details;
  }

  get wantsProgress(): boolean {
    return this.#invocation.wantsProgress;
  }

  get input(): AsyncIterable<RpcArguments> {
    return this.#invocation.input;
  }

  get signal(): AbortSignal {
    return this.#invocation.signal;
  }
}
