import { asyncReducer, asyncTable, SpacetimeDBAsyncClient, t } from 'chorale/client';
import type { AsyncClientOptions, ConnectedAs, ReducerCallEvent } from 'chorale/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChat } from '../../examples/chat/testing/chat-server.js';
import { DbConnection } from '../../examples/chat/generated/index.js';
import type { ChoraleServer } from '../../src/server/create-server.js';

/* SpacetimeDBAsyncClient on our server, over WebSocket; beside it a client of v3 and one of HTTP. */

/** The chat's package, made anew: tables and callbacks belong to one client, and a test has several in one process. */
function chatPackage() {
  return {
    User: asyncTable('user', {
      identity: t.identity().primaryKey(),
      name: t.option(t.string()),
      online: t.bool(),
    }),
    Message: asyncTable('message', { sender: t.identity(), sent: t.timestamp(), text: t.string() }),
    setNameReducer: { reducer: asyncReducer<[name: string]>('set_name', { name: t.string() }) },
    sendMessageReducer: { reducer: asyncReducer<[text: string]>('send_message', { text: t.string() }) },
  };
}

interface Person extends ConnectedAs {
  readonly client: SpacetimeDBAsyncClient;
  readonly bindings: ReturnType<typeof chatPackage>;
  /** What his callbacks have told. */
  readonly trace: string[];
}

const QUERIES = ['SELECT * FROM User', 'SELECT * FROM Message'];
let server: ChoraleServer;
let people: Person[];
const problems: string[] = [];
const rejections: unknown[] = [];
const onRejection = (error: unknown): void => void rejections.push(error);

beforeEach(async () => {
  process.on('unhandledRejection', onRejection);
  server = await startChat();
  people = [];
});

afterEach(async () => {
  await Promise.all(people.map(({ client }) => client.close()));
  await server.close({ drainMs: 0 });
  process.off('unhandledRejection', onRejection);
  expect(rejections.splice(0)).toEqual([]);
  expect(problems.splice(0)).toEqual([]);
});

async function enter(token?: string, queries = QUERIES, options: AsyncClientOptions = {}): Promise<Person> {
  const bindings = chatPackage();
  const log = (_: unknown, message: string): void => void problems.push(message);
  const client = new SpacetimeDBAsyncClient(bindings, { log, ...options });
  const trace: string[] = [];
  bindings.Message.registerRowUpdate((operation, _, message, event) => {
    trace.push(`${operation} "${message?.text}" by ${event?.reducerName ?? 'nobody'}`);
  });
  bindings.sendMessageReducer.reducer.register((_, address, status, message, text) => {
    trace.push(
      `send_message("${text}") ${status} ${message ?? '-'}${address === undefined ? ' nowhere' : ''}`,
    );
  });
  const as = await client.connect(token, `localhost:${server.port}`, 'chat', false, queries);
  trace.length = 0;
  const person = { ...as, client, bindings, trace };
  people.push(person);
  return person;
}

test('a call is told to its caller and to who follows the rows, with names and arguments', async () => {
  const [ada, bob] = [await enter(), await enter()];
  const events: ReducerCallEvent[] = [];
  bob.client.client.registerOnEvent((event) => events.push(event));
  const event = await ada.client.callReducer('send_message', 'hello');
  expect(event).toMatchObject({ status: 'committed', message: undefined, args: ['hello'] });
  expect(event.callerIdentity.isEqual(ada.identity)).toBe(true);
  await expect.poll(() => bob.trace).toHaveLength(2);
  for (const { trace } of [ada, bob]) {
    expect(trace).toEqual(['insert "hello" by send_message', 'send_message("hello") committed -']);
  }
  const [seen] = events;
  expect([seen?.callerIdentity.toHexString(), seen?.callerAddress?.toHexString()]).toEqual([
    ada.identity.toHexString(), ada.address.toHexString(),
  ]); // prettier-ignore
});

test('a call that failed is told to its caller only', async () => {
  const [ada, bob] = [await enter(), await enter()];
  const event = await ada.client.callReducer('send_message', ' ');
  expect(event).toMatchObject({ status: 'failed', message: 'Messages must not be empty', args: [' '] });
  ada.bindings.sendMessageReducer.reducer.call('after');
  await expect.poll(() => bob.trace).toHaveLength(2);
  expect(ada.trace[0]).toBe('send_message(" ") failed Messages must not be empty');
  expect(bob.trace).toEqual(['insert "after" by send_message', 'send_message("after") committed -']);
});

test('calls of other kinds of clients have names and arguments, too', async () => {
  const ada = await enter();
  const conn = await new Promise<DbConnection>((resolve, reject) => {
    DbConnection.builder()
      .withUri(server.url)
      .withDatabaseName('chat')
      .onConnect((conn) => resolve(conn))
      .onConnectError((_, error) => reject(error))
      .build();
  });
  await conn.reducers.sendMessage({ text: 'by v3' });
  conn.disconnect();
  const body = JSON.stringify(['by HTTP']);
  const answer = await fetch(`${server.url}/v1/database/chat/call/send_message`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(200);
  await expect.poll(() => ada.trace.filter((line) => line.startsWith('send_message'))).toEqual([
    'send_message("by v3") committed -',
    expect.stringMatching(/^send_message\("by HTTP"\) committed -( nowhere)?$/),
  ]); // prettier-ignore
});

test('subscribe follows other rows, and tells only what that changes', async () => {
  const ada = await enter();
  await ada.client.callReducer('send_message', 'one');
  await ada.client.callReducer('send_message', 'two');
  ada.trace.length = 0;
  await ada.client.subscribe([`SELECT * FROM message WHERE text = 'two'`]);
  expect([...ada.bindings.Message.iter()].map(({ text }) => text)).toEqual(['two']);
  expect([...ada.bindings.User.iter()]).toEqual([]);
  expect(ada.trace).toEqual(['delete "undefined" by nobody']);
  await expect(ada.client.subscribe(['SELECT * FROM nothing'])).rejects.toMatchObject({
    code: 'SUBSCRIPTION',
  });
  expect(problems.splice(0)).toEqual([expect.stringMatching(/^subscription failed: no such table/)]);
});

test('with the token of before one is the same person, on another connection', async () => {
  const ada = await enter();
  await ada.client.callReducer('set_name', 'Ada');
  await ada.client.close();
  const again = await enter(ada.authToken);
  expect(again.identity.isEqual(ada.identity)).toBe(true);
  expect(again.address.key).not.toBe(ada.address.key);
  expect(again.bindings.User.filterByIdentity(ada.identity)).toMatchObject({ name: 'Ada', online: true });
  expect(again.bindings.User.filterByOnline(true)).toHaveLength(1);
});

test('a token of another server, a database and a server that are not there are refused with a reason', async () => {
  const ada = await enter();
  const connect = (token: string | undefined, port: number, name: string): Promise<unknown> =>
    new SpacetimeDBAsyncClient(chatPackage()).connect(token, `localhost:${port}`, name, false);
  const refused = { name: 'SpacetimeDBException', code: 'CONNECT_FAILED' };
  await expect(connect(undefined, server.port, 'nobody-knows')).rejects.toMatchObject(refused);
  const other = await startChat();
  await expect(connect(ada.authToken, other.port, 'chat')).rejects.toMatchObject(refused);
  await other.close({ drainMs: 0 });
  await expect(connect(undefined, other.port, 'chat')).rejects.toMatchObject(refused);
});

test('a server that goes away ends run with a reason', async () => {
  const client = new SpacetimeDBAsyncClient(chatPackage());
  let applied!: () => void;
  const isApplied = new Promise<void>((resolve) => (applied = resolve));
  client.client.registerOnSubscriptionApplied(applied);
  const running = client.run(undefined, `localhost:${server.port}`, 'chat', false, undefined, QUERIES);
  await isApplied;
  await Promise.all([
    expect(running).rejects.toMatchObject({ name: 'SpacetimeDBException', code: 'DISCONNECTED' }),
    server.close({ drainMs: 0 }),
  ]);
  server = await startChat();
});

test('where there is no WebSocket, transports says how else', async () => {
  const ada = await enter(undefined, QUERIES, { transports: ['polling'] });
  const bob = await enter();
  await ada.client.callReducer('send_message', 'by long-polling');
  await expect.poll(() => bob.trace).toContain('insert "by long-polling" by send_message');
  await bob.client.callReducer('send_message', 'heard you');
  await expect.poll(() => ada.trace).toContain('insert "heard you" by send_message');
});
