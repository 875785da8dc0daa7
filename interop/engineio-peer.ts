import { onTestFinished } from 'vitest';

import { type Clock, systemClock } from '../src/base/clock.js';
import type { ModuleSocket } from '../src/module/index.js';
import type { EngineOptions } from '../src/protocols/engineio/server/options.js';
import { createServer } from '../src/server/index.js';

export interface EchoServer {
  readonly url: string;
  /** Those that are open. */
  readonly sockets: ReadonlySet<ModuleSocket>;
  /** `+ polling`, `- reason`, in the order of events. */
  readonly trace: string[];
  readonly errors: unknown[];
}

/** Our server for one test, at the path that clients take by default. It echoes; `burst N` is answered with N messages. */
export async function serveEcho(
  options: EngineOptions = {},
  clock: Clock = systemClock,
): Promise<EchoServer> {
  const errors: unknown[] = [];
  const trace: string[] = [];
  const sockets = new Set<ModuleSocket>();
  const server = await createServer({
    engineio: { path: '/inside', ...options },
    sockets: {
      '/engine.io': {
        connect(_ctx, socket) {
          sockets.add(socket);
          trace.push(`+ ${socket.transport}`);
        },
        message(_ctx, socket, data) {
          const burst = typeof data === 'string' ? /^burst (\d+)$/.exec(data) : null;
          if (burst === null) socket.send(data);
          else for (let i = 0; i < Number(burst[1]); i++) socket.send(`burst ${i}`);
        },
        disconnect(_ctx, socket, reason) {
          sockets.delete(socket);
          trace.push(`- ${reason}`);
        },
      },
    },
    onError: (error) => void errors.push(error),
    clock,
  });
  onTestFinished(() => server.close({ drainMs: 0 }));
  return { url: server.url, sockets, trace, errors };
}

/** What they are on now. */
export const transportsOf = (sockets: ReadonlySet<ModuleSocket>): string[] =>
  [...sockets].map(({ transport }) => transport);
