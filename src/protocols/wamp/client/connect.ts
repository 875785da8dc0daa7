import type { EngineTransports } from '../../../base/connecting.js';
import { jsonSerializer } from './serializer/json.js';
import type { Serializer } from './serializer/serializer.js';
import type { AnyApi, ApiType } from './api.js';
import type { AuthMethod } from './auth/auth-method.js';
import type { Keyring } from './auth/keyring.js';
import { Client } from './client.js';
import { AuthError } from './errors.js';
import type { ClientOptions } from './client.js';
import { joinRealm } from './join-realm.js';
import type { JoinOptions } from './join-realm.js';
import type { Session } from './session.js';
import { getTransportFactory, platform } from './transport/registry.js';
import type { OpenTransport, Transport, TransportRequest } from './transport/transport.js';

export interface TransportOptions {
  /** Offered to the router, best first. JSON unless given. */
  readonly serializers?: readonly Serializer[] | undefined;
  /** Carries the session, whatever the scheme of the URL. */
  readonly openTransport?: OpenTransport | undefined;
  /**
   * Goes through Engine.IO, for networks without WebSocket. `['websocket', 'polling']` falls back to polling, `['polling',
   * 'websocket']` begins with it and moves on when it can.
   */
  readonly transports?: EngineTransports | undefined;
  /** Node: `false` accepts any certificate; an object says more: ca, cert, key, servername. True unless given. */
  readonly sslVerify?: TransportRequest['sslVerify'];
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectOptions
  extends Omit<ClientOptions, 'reopen'>, Omit<JoinOptions, 'keyring' | 'clock'>, TransportOptions {
  /** Ways to prove who we are. A list is enough when no authid is needed. */
  readonly keyring?: Keyring | readonly AuthMethod[] | undefined;
}

/** Opens a connection. Rejects with TransportError, or BaseError NOT_FOUND for a scheme that nothing carries. */
export async function connectTransport(
  url: string | URL,
  options: TransportOptions = {},
): Promise<Transport> {
  const target = new URL(url);
  const { openTransport, transports, serializers = [jsonSerializer], sslVerify, signal } = options;
  const request = { url: target, serializers, sslVerify, signal };
  if (openTransport === undefined && transports !== undefined) {
    return await platform.overEngine!(transports, request);
  }
  return await (openTransport ?? getTransportFactory(target.protocol.slice(0, -1)))(request);
}

/**
 * Connects to a router and joins a realm.
 *
 *     const client = await connect('ws://localhost:3000', { realm: 'chat', reconnect: true });
 *
 * Rejects with what `connectTransport` and `joinRealm` reject with; coming back is only for connections that once stood.
 */
export async function connect<Api extends ApiType = AnyApi>(
  url: string | URL,
  options: ConnectOptions,
): Promise<Client<Api>> {
  const { keyring: keys, reconnect = false } = options;
  const keyring = keys !== undefined && 'length' in keys ? keyringOf(keys) : keys;
  const open = async (signal: AbortSignal | undefined): Promise<Session> => {
    const transport = await connectTransport(url, { ...options, signal });
    return await joinRealm(transport, { ...options, keyring, signal });
  };
  const session = await open(options.signal);
  return new Client<Api>(session, { ...options, reopen: reconnect === false ? undefined : open });
}

/** Loaded by those who have something to prove. */
function keyringOf(methods: readonly AuthMethod[]): Keyring {
  return {
    begin: async (transport) => {
      const { beginProofs } = await import('./auth/proofs.js');
      return await beginProofs(methods, undefined, AuthError, transport);
    },
  };
}
