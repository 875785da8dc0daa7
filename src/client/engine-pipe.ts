import type { Client, TransportName } from '../protocols/engineio/client/index.js';

/* A session of Engine.IO that carries another protocol's messages. */

export interface PipeRequest {
  /** What would be the WebSocket's address; its host counts, and the rest is told to the server. */
  readonly url: URL;
  /** Subprotocols that we speak, best first. */
  readonly protocols: readonly string[];
  /** See `attemptsOf`. */
  readonly transports: readonly TransportName[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly sslVerify?: boolean | object | undefined;
  /** Gives up opening. */
  readonly signal?: AbortSignal | undefined;
}

export interface PipeEvents {
  onMessage(data: string | Uint8Array): void;
  /** Exactly once. */
  onClose(reason: string, isInOrder: boolean): void;
}

export interface Pipe {
  /** What the server chose of the subprotocols; empty if it did not say. */
  readonly protocol: string;
  readonly bufferedBytes: number;
  /** Nothing that comes is lost before this is called, once. */
  attach(events: PipeEvents): void;
  send(data: string | Uint8Array): void;
  close(): void;
}

export type EngineClient = typeof Client;

/**
 * What is tried, in order. `polling` before `websocket` is one session that begins with the one and is upgraded to the other; the
 * other way round polling is what is left when there is no WebSocket to be had.
 */
export function attemptsOf(transports: readonly TransportName[]): readonly (readonly TransportName[])[] {
  return transports[0] === 'polling' ? [transports] : transports.map((name) => [name]);
}

/** Rejects with what the last attempt failed with. */
export async function openEnginePipe(EngineClient: EngineClient, request: PipeRequest): Promise<Pipe> {
  const [first, ...others] = attemptsOf(request.transports);
  let opening = openOver(EngineClient, request, first ?? []);
  for (const transports of others) {
    opening = opening.catch(async (error: unknown) => {
      if (request.signal?.aborted === true) throw error;
      return await openOver(EngineClient, request, transports);
    });
  }
  return await opening;
}

async function openOver(
  EngineClient: EngineClient,
  request: PipeRequest,
  transports: readonly TransportName[],
): Promise<Pipe> {
  const { url, protocols, headers = {}, sslVerify = true, signal } = request;
  signal?.throwIfAborted();
  const target = new URL('/', url);
  target.searchParams.set('protocol', protocols.join(','));
  target.searchParams.set('path', url.pathname + url.search);
  const client = new EngineClient({ sslVerify });
  const giveUp = (): void => void client.disconnect({ abort: true });
  signal?.addEventListener('abort', giveUp);
  try {
    return await new Promise<Pipe>((resolve, reject) => {
      // The client delivers nothing before its handler is done: somebody is there by then.
      client.on(
        'connect',
        async () => await new Promise<void>((attached) => resolve(makePipe(client, attached))),
      );
      client.connect(target.href, { transports, headers }).catch(reject);
    });
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

function makePipe(client: Client, attached: () => void): Pipe {
  const { protocol } = client;
  return {
    protocol,
    get bufferedBytes() {
      return client.bufferedAmount;
    },
    attach(events) {
      client.on('message', (data: string | Uint8Array) => events.onMessage(data));
      client.on('disconnect', (why) => events.onClose(why, why !== client.reason.TRANSPORT_ERROR));
      attached();
    },
    // What cannot be sent any more is no news: the end of the session is told. What is too long ends it.
    send: (data) => void client.send(data).catch(() => void client.disconnect({ abort: true })),
    close: () => void client.disconnect(),
  };
}
