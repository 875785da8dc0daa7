import { onTestFinished } from 'vitest';

import { ManualClock } from '../../src/base/clock.js';
import { Listener } from '../../src/net/listener.js';
import type { Engine } from '../../src/protocols/engineio/server/engine.js';
import type { EngineOptions } from '../../src/protocols/engineio/server/options.js';
import type { SessionHandler } from '../../src/protocols/engineio/server/session-host.js';
import type { Session } from '../../src/protocols/engineio/server/session.js';
import { mountEngine } from './mount-engine.js';

export interface ServedEngine {
  readonly url: string;
  readonly port: number;
  readonly engine: Engine;
  readonly clock: ManualClock;
  /** Why sessions ended, in that order. */
  readonly ends: string[];
  /** What the engine reported as broken. */
  readonly errors: unknown[];
}

/** An engine on a port of its own whose time the test advances. It echoes, unless `more` says otherwise. */
export async function serveEngine(
  options: EngineOptions = {},
  more: (session: Session) => Partial<SessionHandler> = () => ({}),
): Promise<ServedEngine> {
  const clock = new ManualClock();
  const listener = await Listener.listen({ clock });
  const ends: string[] = [];
  const errors: unknown[] = [];
  const engine = mountEngine(
    listener,
    options,
    {
      open: (session) => ({
        onMessage: (data) => session.send(typeof data === 'string' ? data : data.slice()),
        onClose: (reason, description) =>
          void ends.push(description === '' ? reason : `${reason}: ${description}`),
        ...more(session),
      }),
    },
    (error) => void errors.push(error),
  );
  onTestFinished(async () => {
    engine.close();
    await listener.close({ drainMs: 0 });
  });
  return { url: listener.url, port: listener.port, engine, clock, ends, errors };
}

/** A request of polling. */
export const ask = (url: string, query: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/engine.io/?EIO=4&transport=polling${query}`, init);

/** A handshake over polling; gives the session's id. */
export async function openPolling(url: string, headers: Record<string, string> = {}): Promise<string> {
  const text = await (await ask(url, '', { headers })).text();
  return (JSON.parse(text.slice(1).split('\u001e')[0]!) as { sid: string }).sid;
}

export const post = (url: string, sid: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
  ask(url, `&sid=${sid}`, { method: 'POST', body });
