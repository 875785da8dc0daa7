import { join } from 'node:path';

import { type Clock, systemClock } from '../base/clock.js';
import { type Random, systemRandom } from '../base/random.js';
import { syncFolder } from '../engine/log/folder-disk.js';
import { KeyPair } from '../identity/keys.js';
import { OidcValidator } from '../identity/oidc.js';
import { loadOrCreateOwner } from '../identity/owner.js';
import { type Credentials, TokenAuthority } from '../identity/tokens.js';
import { Listener } from '../net/listener.js';
import { DatabaseStore } from './database-store.js';
import type { ServerOptions } from './server-options.js';

/** What a server stands on: time, chance, the disk, who is who, and the port, which is open but serves nothing yet. */
export interface Foundation {
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown, where: string) => void;
  /** Undefined if everything is in memory. */
  readonly store: DatabaseStore | undefined;
  readonly authority: TokenAuthority;
  readonly owner: Credentials;
  readonly listener: Listener;
}

export async function openFoundation(options: ServerOptions): Promise<Foundation> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const onError = options.onError ?? reportError;
  const store = await openStore(options);
  try {
    const identity = await openIdentity(options, clock, random);
    const listener = await Listener.listen(listenerOptions(options, clock, onError));
    return { clock, random, onError, store, ...identity, listener };
  } catch (error) {
    await store?.close();
    throw error;
  }
}

async function openStore({ folders, dataDirectory }: ServerOptions): Promise<DatabaseStore | undefined> {
  if (folders !== undefined) return new DatabaseStore(folders);
  return dataDirectory === undefined ? undefined : DatabaseStore.open(dataDirectory);
}

async function openIdentity(
  options: ServerOptions,
  clock: Clock,
  random: Random,
): Promise<{ readonly authority: TokenAuthority; readonly owner: Credentials }> {
  const config = options.dataDirectory === undefined ? undefined : join(options.dataDirectory, 'config');
  const keys = config === undefined ? KeyPair.generate() : await KeyPair.loadOrCreate(config);
  const { allowedIssuers } = options;
  const oidc = new OidcValidator({ clock, ...(allowedIssuers === undefined ? {} : { allowedIssuers }) });
  const authority = new TokenAuthority({ keys, clock, random, oidc });
  const owner =
    config === undefined ? await authority.mintAnonymous() : await loadOrCreateOwner(config, authority);
  // Without the key all tokens and with them all owners would be worth nothing.
  if (config !== undefined) await syncFolder(config);
  return { authority, owner };
}

function listenerOptions(
  options: ServerOptions,
  clock: Clock,
  onError: (error: unknown, where: string) => void,
): Parameters<typeof Listener.listen>[0] {
  const { host, port, tls, limits } = options;
  return {
    clock,
    onError,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(tls === undefined ? {} : { tls }),
    ...(limits === undefined ? {} : { limits }),
  };
}

function reportError(error: unknown, where: string): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`chorale: ${where}: ${text}\n`);
}
