import { Client } from './client.js';
import type { ClientOptions } from './options.js';

/*
 * What carries another protocol's frames over Engine.IO, in the shape that `chorale/client` takes with `withTransport`: for networks
 * in which WebSocket does not work.
 */

export interface EngineTransportOptions extends ClientOptions {
  /** Default: polling, then an upgrade to websocket. */
  readonly transports?: string | readonly string[];
  /** Default `engine.io`. */
  readonly engineioPath?: string;
}

export interface EngineTransportRequest {
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly token: string | undefined;
}

export interface EngineTransportEvents {
  onOpen(protocol: string): void;
  onMessage(frame: Uint8Array): void;
  onClose(info: { readonly code: number; readonly reason: string; readonly cause?: unknown }): void;
}

export interface EngineTransport {
  readonly bufferedBytes: number;
  send(frame: Uint8Array): void;
  close(): void;
}

/**
 * Frames over Engine.IO instead of a WebSocket.
 *
 *     DbConnection.builder().withUri('http://localhost:3000').withTransport(engineTransport())
 */
export function engineTransport(
  options: EngineTransportOptions = {},
): (request: EngineTransportRequest, events: EngineTransportEvents) => EngineTransport {
  const { transports = ['polling', 'websocket'], engineioPath = 'engine.io', ...rest } = options;
  return ({ url, protocols, token }, events) => {
    const client = new Client(rest);
    const target = new URL('/', url);
    target.searchParams.set('protocol', protocols.join(','));
    target.searchParams.set('path', url.pathname + url.search);
    let isClosed = false;
    const close = (code: number, reason: string, cause?: unknown): void => {
      if (isClosed) return;
      isClosed = true;
      events.onClose({ code, reason, ...(cause === undefined ? {} : { cause }) });
    };
    client.on('connect', () => events.onOpen(client.protocol));
    client.on('message', (data: string | Uint8Array) => {
      events.onMessage(typeof data === 'string' ? new TextEncoder().encode(data) : data);
    });
    client.on('disconnect', (why) => close(why === client.reason.TRANSPORT_ERROR ? 1006 : 1000, why));
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    client
      .connect(target.href, { transports, engineioPath, headers })
      .catch((error: unknown) => close(1006, error instanceof Error ? error.message : String(error), error));
    return {
      get bufferedBytes() {
        return client.bufferedAmount;
      },
      send: (frame) => void client.send(frame).catch((error: unknown) => close(1006, String(error), error)),
      close: () => void client.disconnect(),
    };
  };
}
