import type { Random } from '../base/random.js';
import { type CommitLog, type TxOffset, waitUntilDurable } from '../engine/log/commit-log.js';
import type { Credentials } from '../identity/tokens.js';
import { SenderError } from '../module/errors.js';
import type { Caller } from '../module/module-def.js';
import { Uris } from '../protocols/wamp/messages/uri.js';
import type { LocalProcedure, SessionInfo } from '../protocols/wamp/server/options.js';
import { Refusal } from '../protocols/wamp/server/refusal.js';
import { deriveIdentity } from '../values/derive-identity.js';
import { ConnectionId } from '../values/identity.js';
import type { DatabaseCatalog } from './catalog.js';

// No issuer of tokens has this name, so nobody's token gives an identity that a realm gave.
const REALM_ISSUER = 'wamp realm';

/** Calls of a realm's procedures, run by the module of the database of the same name. */
export class ModuleProcedures {
  readonly #catalog: DatabaseCatalog;
  readonly #random: Random;
  readonly #callers = new WeakMap<SessionInfo, Caller>();

  constructor(catalog: DatabaseCatalog, random: Random) {
    this.#catalog = catalog;
    this.#random = random;
  }

  /** Looked up for each call: the module may have been replaced since. */
  find(realm: string, uri: string): LocalProcedure | undefined {
    const database = this.#catalog.findByName(realm);
    const handler = database?.host.rpcs.get(uri);
    if (database === undefined || handler === undefined) return undefined;
    const { host, log } = database;
    return async (session, args, kwargs) => {
      const caller = this.#callerOf(session);
      const { sender, databaseIdentity, connectionId, timestamp, senderAuth } = host.makeContext(caller);
      const { authid, authrole } = session;
      let seen: TxOffset = 0;
      const ctx = {
        sender,
        databaseIdentity,
        connectionId,
        timestamp,
        senderAuth,
        authid,
        authrole,
        kwargs,
        withTx: <Result>(body: Parameters<typeof host.transact<Result>>[2]): Result => {
          try {
            return host.transact(`rpc ${uri}`, caller, body);
          } finally {
            seen = log.lastOffset;
          }
        },
      };
      try {
        return await handler(ctx, ...(args as readonly never[]));
      } catch (error) {
        if (error instanceof SenderError) throw new Refusal(Uris.runtimeError, error.message);
        host.reportCrash(`rpc ${uri}`, error);
        throw new Refusal(Uris.runtimeError, 'internal error');
      } finally {
        await confirm(log, seen);
      }
    };
  }

  /** The identity of the token; for others one of the realm's own, the same for the same authid. */
  #callerOf(session: SessionInfo): Caller {
    let caller = this.#callers.get(session);
    if (caller === undefined) {
      const credentials = session.context as Credentials | undefined;
      const { realm, authprovider, authid } = session;
      caller = {
        identity: credentials?.identity ?? deriveIdentity(REALM_ISSUER, `${realm}/${authprovider}/${authid}`),
        connectionId: ConnectionId.fromBytes(this.#random.fill(new Uint8Array(16))),
        tokenPayload: credentials?.payload,
      };
      this.#callers.set(session, caller);
    }
    return caller;
  }
}

/** A result or an error leaves when all that its transactions saw is on disk. */
async function confirm(log: CommitLog, seen: TxOffset): Promise<void> {
  try {
    await waitUntilDurable(log, seen);
  } catch {
    throw new Refusal(Uris.runtimeError, "the database's log has failed: what was done may be lost");
  }
}
