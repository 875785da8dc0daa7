import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../base/clock.js';
import { systemRandom } from '../../../../base/random.js';
import { SqlError } from '../../../../engine/sql/sql-error.js';
import { KeyPair } from '../../../../identity/keys.js';
import { TokenAuthority } from '../../../../identity/tokens.js';
import type { Credentials } from '../../../../identity/tokens.js';
import { Listener } from '../../../../net/listener.js';
import { primitiveType } from '../../../../values/algebraic-type.js';
import { Identity } from '../../../../values/identity.js';
import { IDENTITY_TYPE, optionType } from '../../../../values/special-types.js';
import { FakeCatalog } from '../testing/fake-catalog.js';
import { FakeRuntime } from '../testing/fake-runtime.js';
import { addRoutes } from './routes.js';

const authority = new TokenAuthority({
  keys: KeyPair.generate(),
  clock: systemClock,
  random: systemRandom,
});

let listener: Listener;
let catalog: FakeCatalog;
let database: FakeRuntime;
let owner: Credentials;
let stranger: Credentials;

beforeEach(async () => {
  owner = await authority.mintAnonymous();
  stranger = await authority.mintAnonymous();
  catalog = new FakeCatalog();
  database = new FakeRuntime();
  database.owner = owner.identity;
  database.createTable('user');
  catalog.databases.push(database);
  catalog.creator = owner.identity;
  listener = await Listener.listen({ port: 0 });
  const context = { catalog, authority, clock: systemClock, random: systemRandom, version: '1.2.3' };
  addRoutes(listener.router, context);
});

afterEach(() => listener.close());

interface Asked {
  readonly as?: Credentials;
  readonly body?: string;
  readonly type?: string;
}

function ask(method: string, path: string, { as, body, type }: Asked = {}): Promise<Response> {
  const headers: Record<string, string> = {};
  if (as !== undefined) headers['authorization'] = `Bearer ${as.token}`;
  if (type !== undefined) headers['content-type'] = type;
  // A Uint8Array has no content type of its own, as a text has.
  const bytes = body === undefined ? null : new TextEncoder().encode(body);
  return fetch(`${listener.url}${path}`, { method, headers, body: bytes });
}

/** `200 text`. */
async function answer(method: string, path: string, asked: Asked = {}): Promise<string> {
  const response = await ask(method, path, asked);
  return `${response.status} ${await response.text()}`.trim();
}

const JSON_TYPE = 'application/json';

describe('the server', () => {
  test('ping is empty, and a bad token is told', async () => {
    expect(await answer('GET', '/v1/ping')).toBe('200');
    expect(await answer('GET', '/v1/ping?token=nonsense')).toMatch(/^400 Authorization is invalid/);
  });

  test('health, service discovery and metrics say what is true', async () => {
    expect(await (await ask('GET', '/v1/health')).json()).toEqual({
      package_name: 'chorale',
      version: '1.2.3',
      nodes: [0],
      schedulable: true,
    });
    const targets = [listener.url.slice('http://'.length)];
    expect(await (await ask('GET', '/v1/prometheus/sd_config')).json()).toEqual([{ targets, labels: {} }]);
    database.insert({});
    const metrics = await (await ask('GET', '/v1/metrics')).text();
    expect(metrics).toContain('chorale_transactions_total{database="fake"} 1\n');
    expect(metrics).toContain('chorale_transactions_unconfirmed{database="fake"} 1\n');
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  test('pages of any origin may ask', async () => {
    const headers = { origin: 'http://x.test', 'access-control-request-method': 'POST' };
    const preflight = await fetch(`${listener.url}/v1/identity/websocket-token`, {
      method: 'OPTIONS',
      headers,
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
  });

  test.each([
    ['POST', '/v1/database/fake/pre_publish', 404],
    ['POST', '/v1/database/fake/lock', 501],
    ['POST', '/v1/mcp', 501],
    ['GET', `/v1/energy/${'0'.repeat(64)}`, 501],
    ['PATCH', '/v1/database/fake/route/a/b', 404],
  ])('%s %s is not served and says so', async (method, path, status) => {
    const response = await ask(method, path);
    expect(response.status).toBe(status);
    expect((await response.text()).length).toBeGreaterThan(10);
  });
});

describe('identities', () => {
  test('a new identity comes with its token', async () => {
    const { identity, token } = (await (await ask('POST', '/v1/identity')).json()) as Record<string, string>;
    expect((await authority.verify(token!)).identity.toHexString()).toBe(identity);
  });

  test('the public key is a PEM', async () => {
    const response = await ask('GET', '/v1/identity/public-key');
    expect(response.headers.get('content-type')).toBe('application/pem-certificate-chain');
    expect(await response.text()).toContain('BEGIN PUBLIC KEY');
  });

  test('a token is exchanged for a short one of the same identity', async () => {
    expect(await answer('POST', '/v1/identity/websocket-token')).toBe('401 Authorization required');
    const response = await ask('POST', '/v1/identity/websocket-token', { as: stranger });
    const { token } = (await response.json()) as { token: string };
    const short = await authority.verify(token);
    expect(short.identity.isEqual(stranger.identity)).toBe(true);
    expect(short.payload).toMatch(/"exp":\d+/);
  });

  test('an identity is verified against the token', async () => {
    const mine = `/v1/identity/${stranger.identity.toHexString()}/verify`;
    expect(await answer('GET', mine, { as: stranger })).toBe('204');
    expect(await answer('GET', mine, { as: owner })).toMatch(/^400/);
    expect(await answer('GET', mine)).toMatch(/^401/);
    expect(await answer('GET', '/v1/identity/xyz/verify', { as: owner })).toMatch(/^400/);
  });

  test('the databases of an identity are listed', async () => {
    const path = (who: Credentials): string => `/v1/identity/${who.identity.toHexString()}/databases`;
    expect(await (await ask('GET', path(owner))).json()).toEqual({
      identities: [database.identity.toHexString()],
    });
    expect(await (await ask('GET', path(stranger))).json()).toEqual({ identities: [] });
  });
});

describe('a database', () => {
  test('is described as SATS-JSON, by name and by identity', async () => {
    const hex = database.identity.toHexString();
    for (const name of ['fake', hex, `0x${hex}`]) {
      expect(await (await ask('GET', `/v1/database/${name}`)).json()).toEqual({
        database_identity: { __identity__: `0x${hex}` },
        owner_identity: { __identity__: `0x${owner.identity.toHexString()}` },
        host_type: { Js: [] },
        initial_program: `0x${'00'.repeat(32)}`,
      });
    }
    expect(await answer('GET', '/v1/database/fake/identity')).toBe(`200 ${hex}`);
  });

  test('that is not there is 404, a name that cannot be is 400', async () => {
    expect(await answer('GET', '/v1/database/other')).toBe('404 `other` not found');
    expect(await answer('GET', `/v1/database/${'0'.repeat(64)}`)).toBe('404 No such database.');
    expect(await answer('GET', '/v1/database/__proto__')).toMatch(/^400 `__proto__` is not a database name/);
  });

  test('an anonymous caller is given an identity in the headers, a known one hears his own', async () => {
    const anonymous = await ask('GET', '/v1/database/fake');
    const token = anonymous.headers.get('spacetime-identity-token') ?? '';
    const { identity } = await authority.verify(token);
    expect(anonymous.headers.get('spacetime-identity')).toBe(identity.toHexString());
    const known = await ask('GET', '/v1/database/nowhere', { as: stranger });
    expect(known.headers.get('spacetime-identity')).toBe(stranger.identity.toHexString());
  });

  test('the time is the server’s', async () => {
    const json = (await (await ask('GET', '/v1/database/fake/unstable/timestamp')).json()) as Record<
      string,
      number
    >;
    expect(json['__timestamp_micros_since_unix_epoch__']).toBeGreaterThan(1.7e15);
  });

  test('is deleted by its owner only, and deleting it again is fine', async () => {
    expect(await answer('DELETE', '/v1/database/fake', { as: stranger })).toMatch(
      /^403 `c200\w+` is not authorized to perform action on database `\w+`: delete database$/,
    );
    expect(await answer('DELETE', '/v1/database/fake', { as: owner })).toBe('200');
    expect(await answer('DELETE', '/v1/database/fake', { as: owner })).toBe('200');
    expect(catalog.databases).toEqual([]);
  });
});

describe('names', () => {
  const names = async (): Promise<unknown> => (await ask('GET', '/v1/database/fake/names')).json();

  test('the owner adds one', async () => {
    expect(await names()).toEqual({ names: ['fake'] });
    const added = await ask('POST', '/v1/database/fake/names', { as: owner, body: 'second' });
    const database_identity = database.identity.toHexString();
    expect(await added.json()).toEqual({ Success: { domain: 'second', database_identity } });
    expect(await names()).toEqual({ names: ['fake', 'second'] });
  });

  test('a stranger does not', async () => {
    const denied = '401 {"PermissionDenied":{"domain":"second"}}';
    expect(await answer('POST', '/v1/database/fake/names', { as: stranger, body: 'second' })).toBe(denied);
    expect(await answer('PUT', '/v1/database/fake/names', { as: stranger, body: '["x"]' })).toBe(
      `401 {"NotYourDatabase":{"database":"${database.identity.toHexString()}"}}`,
    );
  });

  test('all are replaced at once, unless one is taken', async () => {
    const other = new FakeRuntime();
    other.names = ['theirs'];
    catalog.databases.push(other);
    expect(await answer('PUT', '/v1/database/fake/names', { as: owner, body: '["theirs"]' })).toBe(
      '401 {"PermissionDenied":{"domain":"theirs"}}',
    );
    other.owner = owner.identity;
    expect(await answer('PUT', '/v1/database/fake/names', { as: owner, body: '["theirs"]' })).toMatch(
      /^400 .*in use/,
    );
    expect(await answer('PUT', '/v1/database/fake/names', { as: owner, body: '["new","newer"]' })).toBe(
      '200 "Success"',
    );
    expect(database.names).toEqual(['new', 'newer']);
    expect(await answer('PUT', '/v1/database/fake/names', { as: owner, body: '[]' })).toBe(
      '404 "DatabaseNotFound"',
    );
  });

  test.each(['Upper', 'a--b', '-a', 'a_b', '', 'x'.repeat(129), '0'.repeat(64)])(
    '%j is no name',
    async (name) => {
      expect(await answer('POST', '/v1/database/fake/names', { as: owner, body: name })).toMatch(/^400 /);
    },
  );
});

describe('publishing', () => {
  beforeEach(() => {
    catalog.result = ({ target }) =>
      target === undefined ? { kind: 'created', database } : { kind: 'updated', database: target };
  });

  test('the server’s owner creates a database under a name, or without one', async () => {
    const database_identity = database.identity.toHexString();
    const named = await ask('PUT', '/v1/database/chat?host_type=Js', { as: owner, body: 'export default 1' });
    expect(await named.json()).toEqual({ Success: { domain: 'chat', database_identity, op: 'created' } });
    const unnamed = await ask('POST', '/v1/database?host_type=Js', { as: owner, body: 'export default 1' });
    expect(await unnamed.json()).toEqual({ Success: { domain: null, database_identity, op: 'created' } });
    expect(catalog.published[0]).toMatchObject({ name: 'chat', program: 'export default 1', clear: false });
  });

  test('others may not, and hear how', async () => {
    expect(await answer('PUT', '/v1/database/chat?host_type=Js', { body: 'x' })).toMatch(
      /^401 Authorization required: publishing here needs the token of the server’s owner/,
    );
    expect(await answer('PUT', '/v1/database/chat?host_type=Js', { as: stranger, body: 'x' })).toMatch(
      /^403 /,
    );
    expect(await answer('PUT', '/v1/database/fake?host_type=Js', { as: stranger, body: 'x' })).toMatch(
      /^403 .*update database/,
    );
    expect(await answer('PUT', '/v1/database/fake/reset', { as: stranger })).toMatch(/^403 .*reset database/);
    expect(catalog.published).toEqual([]);
  });

  test('an update that needs clearing is refused, with clear it is done', async () => {
    catalog.result = ({ clear }) =>
      clear ? { kind: 'updated', database } : { kind: 'refused', reason: 'table `user` changed' };
    const path = '/v1/database/fake?host_type=Js';
    expect(await answer('PUT', path, { as: owner, body: 'x' })).toBe(
      '400 Database update rejected: table `user` changed',
    );
    expect(await answer('PUT', `${path}&clear=true`, { as: owner, body: 'x' })).toMatch(
      /^200 .*"op":"updated"/,
    );
  });

  test('a program that fails is told why', async () => {
    catalog.result = () => ({ kind: 'failed', reason: 'SyntaxError' });
    expect(await answer('PUT', '/v1/database/fake?host_type=Js', { as: owner, body: 'x' })).toBe(
      '400 Failed to create or update the database: SyntaxError',
    );
  });

  test('a reset keeps the program when none is sent', async () => {
    expect(await answer('PUT', '/v1/database/fake/reset', { as: owner })).toMatch(/^200 /);
    expect(catalog.published[0]).toMatchObject({ target: database, program: undefined, clear: true });
  });

  test.each([
    ['host_type=Wasm', 'x', /TypeScript modules/],
    ['', '\0asm\x01', /TypeScript modules/],
    ['host_type=Java', 'x', /host_type is/],
    ['host_type=Js&clear=maybe', 'x', /clear is/],
    ['host_type=Js&policy=Never', 'x', /policy is/],
    ['host_type=Js', '  ', /empty/],
  ])('?%s with %j is refused', async (query, body, reason) => {
    const got = await answer('PUT', `/v1/database/chat?${query}`, { as: owner, body });
    expect(got).toMatch(/^400 /);
    expect(got).toMatch(reason);
  });

  test('a name that cannot be, and an identity that is not there, are not created', async () => {
    expect(await answer('PUT', '/v1/database/A_B?host_type=Js', { as: owner, body: 'x' })).toMatch(/^400 /);
    expect(
      await answer('PUT', `/v1/database/${'0'.repeat(64)}?host_type=Js`, { as: owner, body: 'x' }),
    ).toMatch(/^404/);
  });
});

describe('calling', () => {
  const call = (name: string, asked: Asked = {}): Promise<string> =>
    answer('POST', `/v1/database/fake/call/${name}`, { type: JSON_TYPE, body: '[]', ...asked });

  test('a call is answered when its transaction is on disk', async () => {
    let isAnswered = false;
    const answered = call('insert').then((text) => {
      isAnswered = true;
      return text;
    });
    // clientConnected, insert and clientDisconnected are in the log, none on disk.
    await expect.poll(() => database.log.lastOffset).toBe(3);
    expect(isAnswered).toBe(false);
    database.log.sync();
    expect(await answered).toBe('200');
  });

  test('a call whose transaction cannot be made durable is 503', async () => {
    const answered = call('insert');
    await expect.poll(() => database.log.lastOffset).toBe(3);
    database.log.fail();
    expect(await answered).toMatch(/^503 /);
    expect(await call('insert')).toMatch(/^503 /);
  });

  test('is a connection of its own', async () => {
    database.log.isInstant = true;
    await call('refuse');
    expect(database.lifecycle.map((event) => event[0])).toEqual(['+', '-']);
  });

  test('a connection that the module refuses is 403', async () => {
    database.refusesConnections = true;
    expect(await call('insert')).toBe('403 full');
    expect(database.lifecycle.map((event) => event[0])).toEqual(['+']);
  });

  test.each([
    ['refuse', '530 nope'],
    ['crash', '530 boom'],
    ['bad', '400 invalid arguments for reducer bad: expected 1'],
    ['nothing', '404 no such reducer: `nothing`'],
  ])('%s: %s', async (name, expected) => {
    database.log.isInstant = true;
    expect(await call(name, { as: stranger })).toBe(expected);
  });

  test('nobody connects to call what is not there', async () => {
    await call('nothing');
    expect(database.lifecycle).toEqual([]);
  });

  test('arguments that are not UTF-8 are refused', async () => {
    const response = await fetch(`${listener.url}/v1/database/fake/call/refuse`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE },
      body: Uint8Array.of(0x5b, 0xff, 0x5d),
    });
    expect(response.status).toBe(400);
  });

  test('the body is announced as JSON', async () => {
    database.log.isInstant = true;
    expect(await answer('POST', '/v1/database/fake/call/refuse', { body: '[]' })).toMatch(
      /^400 the content-type/,
    );
    expect(await call('refuse', { type: 'text/plain' })).toMatch(/^415 /);
    expect(await call('refuse', { type: 'application/json; charset=utf-8' })).toBe('530 nope');
  });
});

describe('sql', () => {
  test('rows are untyped, columns say their types, and there is exactly one result', async () => {
    database.query = () => ({
      columns: [
        { name: 'id', type: primitiveType('u64') },
        { name: 'who', type: IDENTITY_TYPE },
        { name: 'nick', type: optionType(primitiveType('string')) },
      ],
      rows: [
        [2n ** 63n, new Identity(`c2${'1'.repeat(62)}`), 'ada'],
        [1n, new Identity(`c2${'2'.repeat(62)}`), undefined],
      ],
    });
    const response = ask('POST', '/v1/database/fake/sql', { body: 'SELECT * FROM x' });
    await expect.poll(() => database.log.lastOffset).toBe(2);
    database.log.sync();
    const text = await (await response).text();
    const hex = (digit: number): string => `"0xc2${String(digit).repeat(62)}"`;
    expect(text).toContain(
      `"rows":[[9223372036854775808,[${hex(1)}],[0,"ada"]],[1,[${hex(2)}],[1,[]]]],"total_duration_micros":`,
    );
    expect(text).toContain('{"elements":[{"name":{"some":"id"},"algebraic_type":{"U64":[]}},');
    expect(JSON.parse(text)).toMatchObject([
      { stats: { rows_inserted: 0, rows_deleted: 0, rows_updated: 0 } },
    ]);
  });

  test('a statement that does not parse is 400 with the place', async () => {
    database.query = () => {
      throw new SqlError('SYNTAX', 'expected FROM', { offset: 9, line: 1, column: 10 });
    };
    expect(await answer('POST', '/v1/database/fake/sql?confirmed=false', { body: 'SELECT * x' })).toBe(
      '400 expected FROM (at 1:10)',
    );
  });

  test('who does not wait for the disk says so', async () => {
    expect(await answer('POST', '/v1/database/fake/sql?confirmed=false', { body: 'x' })).toMatch(/^200 /);
  });
});

describe('logs', () => {
  beforeEach(() => database.logEntries.push({ message: 'one' }, { message: 'two' }));

  test('the owner reads them as lines of JSON', async () => {
    const response = await ask('GET', '/v1/database/fake/logs', { as: owner });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await response.text()).toBe('{"message":"one"}\n{"message":"two"}\n');
    expect(await answer('GET', '/v1/database/fake/logs?num_lines=1', { as: owner })).toBe(
      '200 {"message":"two"}',
    );
    expect(await answer('GET', '/v1/database/fake/logs?num_lines=-1', { as: owner })).toMatch(/^400/);
    expect(await answer('GET', '/v1/database/fake/logs', { as: stranger })).toMatch(/^403 .*view logs/);
  });

  test('a follower gets later lines until he leaves', async () => {
    const response = await ask('GET', '/v1/database/fake/logs?num_lines=1&follow=true', { as: owner });
    const reader = response.body!.getReader();
    const line = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    expect(await line()).toBe('{"message":"two"}\n');
    for (const listener of database.logFollowers) listener({ message: 'three' });
    expect(await line()).toBe('{"message":"three"}\n');
    await reader.cancel();
    await expect.poll(() => database.logFollowers.size).toBe(0);
  });

  test('a follower who does not read is let go', async () => {
    const response = await ask('GET', '/v1/database/fake/logs?follow=true', { as: owner });
    const [follower] = database.logFollowers;
    const message = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 64 && database.logFollowers.size > 0; i++) follower!({ message });
    expect(database.logFollowers.size).toBe(0);
    await response.body?.cancel();
  });
});

describe('schema', () => {
  test('has two versions and needs one', async () => {
    expect(await answer('GET', '/v1/database/fake/schema?version=9')).toMatch(/^200 \{"typespace"/);
    expect(await answer('GET', '/v1/database/fake/schema?version=10')).toMatch(/^200 \{"sections"/);
    expect(await answer('GET', '/v1/database/fake/schema')).toMatch(/^400 /);
    expect(await answer('GET', '/v1/database/fake/schema?version=11')).toMatch(/^400 /);
  });
});
