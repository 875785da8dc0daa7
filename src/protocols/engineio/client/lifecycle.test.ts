import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import { Client } from './client.js';
import { type ClientState, lifecycle } from './lifecycle.js';
import type { HttpReply } from './platform.js';
import { platform } from './platform.js';

/* A client over a network that the test plays: each request hangs until the test answers, fails or forgets it. */

interface Pending {
  readonly method: string;
  readonly timeoutMs: number;
  resolve(reply: HttpReply): void;
  reject(error: Error): void;
}

const original = { ...platform };

function fakeNetwork(): Pending[] {
  const pending: Pending[] = [];
  platform.makeLink = () => ({
    request: ({ method, timeoutMs, signal }) =>
      new Promise((resolve, reject) => {
        const entry = { method, timeoutMs, resolve, reject };
        pending.push(entry);
        signal.addEventListener('abort', () => {
          const at = pending.indexOf(entry);
          if (at >= 0) pending.splice(at, 1);
          reject(new Error('aborted'));
        });
      }),
    openWebSocket: () => {
      throw new Error('not here');
    },
    close() {},
  });
  return pending;
}

const OPEN = '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

const ACTIONS = ['connect', 'disconnect', 'abort', 'answer', 'goodbye', 'fail', 'status', 'send'] as const;
type Action = (typeof ACTIONS)[number];

/** Ends are rarer, so that there is something to end. */
const anyAction = fc.oneof(
  ...ACTIONS.map((action) => ({
    arbitrary: fc.constant(action),
    weight: action === 'connect' || action === 'answer' ? 4 : 1,
  })),
);

type Request = 'handshake' | 'poll' | 'post';

/** What ought to happen, told without looking at the client: its state, what it asks the network for, what its handlers hear. */
class Model {
  state: ClientState = 'disconnected';
  /** Under way, oldest first. */
  requests: Request[] = [];
  readonly trace: string[] = [];
  /** Packets behind the POST that is under way. */
  #queued = 0;

  act(action: Action): void {
    if (action === 'connect') this.#connect();
    else if (action === 'disconnect') this.#disconnect();
    else if (action === 'abort') this.#end('client disconnect');
    else if (action === 'send') this.#send();
    else this.#settle(action);
  }

  #connect(): void {
    if (this.state !== 'disconnected') return;
    this.state = 'connecting';
    this.requests.push('handshake');
  }

  #disconnect(): void {
    if (this.state === 'connecting') this.#end('');
    else if (this.state === 'connected') {
      this.trace.push('- client disconnect');
      this.#send();
      this.state = 'disconnecting';
    }
  }

  #send(): void {
    if (this.state !== 'connected') return;
    if (this.requests.includes('post')) this.#queued++;
    else this.requests.push('post');
  }

  #settle(outcome: 'answer' | 'goodbye' | 'fail' | 'status'): void {
    const request = this.requests.shift();
    if (request === undefined) return;
    if (outcome === 'fail' || outcome === 'status') this.#end('transport error');
    else if (request === 'handshake') {
      this.state = 'connected';
      this.trace.push('+');
      this.requests.push('poll');
    } else if (request === 'post') this.#posted();
    else if (outcome === 'goodbye') this.#end('server disconnect');
    else this.requests.push('poll');
  }

  #posted(): void {
    if (this.#queued > 0) {
      // 16 packets go into one POST.
      this.#queued = Math.max(0, this.#queued - 16);
      this.requests.push('post');
    } else if (this.state === 'disconnecting') this.#end('');
  }

  #end(why: string): void {
    if (this.state === 'connected') this.trace.push(`- ${why}`);
    this.state = 'disconnected';
    this.requests = [];
    this.#queued = 0;
  }
}

function perform(client: Client, pending: Pending[], action: Action): void {
  if (action === 'connect') {
    void client.connect('http://nowhere', { transports: 'polling' }).catch(() => {});
  } else if (action === 'disconnect') void client.disconnect();
  else if (action === 'abort') void client.disconnect({ abort: true });
  else if (action === 'send') void client.send('x').catch(() => {});
  else if (action === 'fail') pending.shift()?.reject(new Error('broken'));
  else if (action === 'status') pending.shift()?.resolve({ status: 400, body: '{}' });
  else {
    const entry = pending.shift();
    const isHandshake = client.state === 'connecting';
    const poll = isHandshake ? OPEN : action === 'goodbye' ? '1' : '4hi';
    entry?.resolve({ status: 200, body: entry.method === 'POST' ? 'ok' : poll });
  }
}

describe('the lifecycle', () => {
  afterEach(() => {
    Object.assign(platform, original);
  });

  it('is that of the model, whatever happens in whatever order', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(anyAction, { maxLength: 60, size: 'max' }), async (actions) => {
        const pending = fakeNetwork();
        const client = new Client({ logger: { info() {}, error() {} }, requestTimeoutMs: 60_000 });
        const trace: string[] = [];
        client.on('connect', () => void trace.push('+'));
        client.on('disconnect', (why) => void trace.push(`- ${why}`));
        const model = new Model();
        for (const action of actions) {
          const pair = `${model.state} ${action}`;
          seen.set(pair, (seen.get(pair) ?? 0) + 1);
          model.act(action);
          perform(client, pending, action);
          await settle();
          expect([client.state, trace, pending.map(({ method }) => method)]).toEqual([
            model.state,
            model.trace,
            model.requests.map((request) => (request === 'post' ? 'POST' : 'GET')),
          ]);
          expect(client.sid === null).toBe(!['connected', 'disconnecting'].includes(client.state));
        }
        await client.disconnect({ abort: true });
        await client.wait();
        // One end for each beginning.
        expect(trace.map((line) => line[0])).toEqual(trace.map((_, i) => (i % 2 === 0 ? '+' : '-')));
        expect([client.state, trace.length % 2, pending]).toEqual(['disconnected', 0, []]);
      }),
      { numRuns: 300 },
    );
    // Every action in every state.
    expect(seen.size).toBe(Object.keys(lifecycle).length * ACTIONS.length);
  });

  it('waits longer for a poll than the server may hold it', async () => {
    const pending = fakeNetwork();
    const client = new Client({ requestTimeoutMs: 5000 });
    const connected = client.connect('http://nowhere', { transports: 'polling' });
    const [handshake] = pending.splice(0);
    handshake!.resolve({ status: 200, body: OPEN });
    await connected;
    await settle();
    expect([handshake!.timeoutMs, pending[0]!.timeoutMs]).toEqual([5000, 50_000]);
    await client.disconnect({ abort: true });
  });
});
