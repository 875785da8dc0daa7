import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ChoraleServer, createServer, loadModule, ticketAuth, tokenAuth } from 'chorale';
import { Identity, schema } from 'chorale/server';
import { AuthKeyring, connect, ticketAuth as ticketOf } from 'chorale/wamp';
import { CLIENTS } from './wamp-proving.js';
import { SEED } from './wamp-users.js';

/* A realm whose users prove who they are, set up with what the package exports and with nothing else. */

describe('the programs of docs/wamp-users.md', () => {
  let server: ChoraleServer;
  let url: string;
  const lines: string[] = [];

  /** Runs one of them, word for word; what it prints goes to `lines`. */
  async function run<Exports>(program: 'server' | 'join', port: number): Promise<Exports> {
    vi.stubEnv('PORT', String(port));
    const log = vi.spyOn(console, 'log').mockImplementation((...words) => void lines.push(words.join(' ')));
    try {
      return (await import(`./realm/${program}.ts`)) as Exports;
    } finally {
      log.mockRestore();
      vi.unstubAllEnvs();
    }
  }

  beforeAll(async () => {
    ({ server } = await run<{ server: ChoraleServer }>('server', 0));
    url = server.url.replace('http', 'ws');
  });
  afterAll(async () => await server.close({ drainMs: 0 }));

  test('are on the page as they are, with what they print', async () => {
    const page = await readFile(new URL('../docs/wamp-users.md', import.meta.url), 'utf8');
    for (const program of ['server', 'join']) {
      const text = await readFile(new URL(`realm/${program}.ts`, import.meta.url), 'utf8');
      expect(page).toContain(`\`\`\`ts\n${text}\`\`\`\n`);
    }
    expect(lines.splice(0)).toEqual([`realm club at ${url}`]);
    await run('join', server.port);
    const methods = ['ticket', 'wampcra', 'wamp-scram', 'cryptosign'];
    expect(lines).toEqual(methods.map((name) => `${name} ada, member`));
    expect(page).toContain(`\`\`\`\n${lines.join('\n')}\n\`\`\`\n`);
  });

  describe.each(CLIENTS)('%s', (_, join, methods) => {
    const rightOf = (method: string): string =>
      ({ ticket: 'a ticket for ada', cryptosign: SEED })[method] ?? 'correct horse';

    test.each(methods)('is ada by %s, and may call', async (method) => {
      const member = await join({ url, realm: 'club' }, method, rightOf(method));
      expect(member.details).toMatchObject({ authid: 'ada', authmethod: method, authrole: 'member' });
      expect(await member.call('com.example.whoami')).toBe('ada, member');
      await member.close();
    });

    test.each(methods)('is nobody by %s with another secret', async (method) => {
      const wrong = method === 'cryptosign' ? '22'.repeat(32) : 'guess';
      await expect(join({ url, realm: 'club' }, method, wrong)).rejects.toThrow();
    });
  });

  test('let strangers in who may only subscribe, and know the tokens of the server', async () => {
    await using stranger = await connect(url, { realm: 'club' });
    await expect(stranger.call('com.example.whoami')).rejects.toThrow('not allowed to call');
    await using _ = await stranger.subscribe('com.example.news', () => {});
    expect(stranger.session.details).toMatchObject({ authrole: 'anonymous' });
    const ticket = new AuthKeyring([ticketOf(server.owner.token)], { authId: 'ada' });
    await expect(connect(url, { realm: 'club', keyring: ticket })).rejects.toThrow();
  });
});

describe('methods of an application', () => {
  const app = schema({});
  const sender = app.rpc('com.sender', (ctx) => [ctx.sender.toHexString(), ctx.senderAuth.jwt !== null]);
  const me = new Identity(7n);

  test('can be those of the server with other roles; who the context says is the sender of the module', async () => {
    await using server = await createServer({
      databases: { club: loadModule({ default: app, sender }) },
      wamp: {
        realms: { plain: { authorize: ({ session }) => session.authrole === 'guest' } },
        auth: ({ authority }) => [
          ...tokenAuth({ authority, roleOf: () => 'guest' }),
          ticketAuth(async (authid, ticket) => {
            if (ticket === 'context') return { authid, authrole: 'user', context: { identity: me } };
            if (ticket === 'nonsense')
              return { authid, authrole: 'user', context: { identity: 'root', payload: 1 } };
            const known = await authority.verify(ticket);
            return { authid: 'owner', authrole: 'guest', context: known };
          }),
        ],
      },
    });
    const url = server.url.replace('http', 'ws');
    const ask = async (ticket: string, realm = 'club'): Promise<unknown> => {
      const keyring = new AuthKeyring([ticketOf(ticket)], { authId: 'ada' });
      await using client = await connect(url, { realm, keyring });
      return await client.call(realm === 'club' ? 'com.sender' : 'wamp.session.count');
    };
    expect(await ask('context')).toEqual([me.toHexString(), false]);
    expect(await ask(server.owner.token)).toEqual([server.owner.identity.toHexString(), true]);
    const derived = (await ask('nonsense')) as [string, boolean];
    expect(derived).toEqual([expect.stringMatching(/^c200[0-9a-f]{60}$/), false]);
    expect(await ask('nonsense')).toEqual(derived);
    expect(await ask(server.owner.token, 'plain')).toBe(1);
    await expect(ask('context', 'plain')).rejects.toThrow('not allowed to call');
  });
});
