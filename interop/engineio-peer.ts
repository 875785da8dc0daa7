import { onTestFinished } from 'vitest';

import { Listener } from '../src/net/listener.js';
import type { Engine } from '../src/protocols/engineio/server/engine.js';
import { mountEngine } from '../src/protocols/engineio/server/mount.js';
import type { EngineOptions } from '../src/protocols/engineio/server/options.js';

export interface EchoServer {
  readonly url: string;
  readonly engine: Engine;
  /** `+ polling`, `^ websocket`, `- reason`, in the order of events. */
  readonly trace: string[];
  readonly errors: unknown[];
}

/** Our server for one test. It echoes; `burst N` is answered with N messages. */
export async function serveEcho(options: EngineOptions = {}): Promise<EchoServer> {
  const errors: unknown[] = [];
  const trace: string[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const listener = await Listener.listen({ onError });
  const engine = mountEngine(
    listener,
    options,
    {
      open(session) {
        trace.push(`+ ${session.transportName}`);
        return {
          onMessage(data) {
            const burst = typeof data === 'string' ? /^burst (\d+)$/.exec(data) : null;
            if (burst === null) session.send(typeof data === 'string' ? data : data.slice());
            else for (let i = 0; i < Number(burst[1]); i++) session.send(`burst ${i}`);
          },
          onUpgrade: () => void trace.push(`^ ${session.transportName}`),
          onClose: (reason) => void trace.push(`- ${reason}`),
        };
      },
    },
    onError,
  );
  onTestFinished(async () => {
    engine.close();
    await listener.close({ drainMs: 0 });
  });
  return { url: listener.url, engine, trace, errors };
}
