import { onTestFinished } from 'vitest';

import { Listener, type ListenerOptions } from '../../src/net/listener.js';
import type { WebSocketConnection, WebSocketHandler } from '../../src/net/websocket/connection.js';

export interface Served {
  readonly listener: Listener;
  readonly port: number;
  readonly url: string;
  /** What `onError` was told: `where: message`. */
  readonly errors: string[];
}

/** A listener for one test, which is gone when the test ends. */
export async function serve(options: ListenerOptions = {}): Promise<Served> {
  const errors: string[] = [];
  const onError = (error: unknown, where: string): void => void errors.push(`${where}: ${String(error)}`);
  const listener = await Listener.listen({ onError, ...options });
  onTestFinished(() => listener.close({ drainMs: 0 }));
  return { listener, port: listener.port, url: listener.url, errors };
}

export function echo(connection: WebSocketConnection): WebSocketHandler {
  return {
    onMessage(data, isText) {
      if (isText) connection.sendText(Buffer.from(data).toString());
      else connection.sendBinary(data);
    },
    onClose() {},
  };
}

export interface TracedServer extends Served {
  /** `+` opened, text as `"text"`, binary as hex, `.` end of turn, `- code reason`. */
  readonly trace: string[];
  readonly connections: WebSocketConnection[];
  /** The first connection, as soon as there is one. */
  first(): Promise<WebSocketConnection>;
  /** Resolves when the condition holds; it is looked at after each event. */
  until(condition: () => boolean): Promise<void>;
}

/** Serves WebSockets on every path and writes down what happens; text `throw` makes the handler throw. */
export async function serveTraced(
  options: ListenerOptions = {},
  more: (connection: WebSocketConnection) => Partial<WebSocketHandler> = () => ({}),
): Promise<TracedServer> {
  const trace: string[] = [];
  const connections: WebSocketConnection[] = [];
  let waiting: (() => void)[] = [];
  const note = (line: string): void => {
    trace.push(line);
    for (const resolve of waiting.splice(0)) resolve();
  };
  const served = await serve(options);
  served.listener.addUpgradeRoute({
    pattern: '/*path',
    accept: () => ({
      kind: 'accept',
      open(connection) {
        connections.push(connection);
        note('+');
        return {
          onMessage(data, isText) {
            const bytes = Buffer.from(data);
            if (bytes.toString() === 'throw') throw new Error('the handler threw');
            note(isText ? JSON.stringify(bytes.toString()) : bytes.toString('hex'));
          },
          onTurnEnd: () => note('.'),
          onOverflow: () => note('overflow'),
          onDrain: () => note('drain'),
          onClose: (code, reason) => note(`- ${code} ${reason}`.trim()),
          ...more(connection),
        };
      },
    }),
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => void waiting.push(resolve));
  };
  const first = async (): Promise<WebSocketConnection> => {
    await until(() => connections.length > 0);
    return connections[0]!;
  };
  return { ...served, trace, connections, until, first };
}
