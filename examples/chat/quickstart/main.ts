import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import {
  SpacetimeDBAsyncClient,
  SpacetimeDBException,
  type ConnectionId,
  type Identity,
  type ReducerCallEvent,
  type ReducerStatus,
  type RowOperation,
} from 'chorale/client';
import * as localConfig from 'chorale/local-config';
import * as moduleBindings from './module_bindings/index.js';
import { Message } from './module_bindings/message.js';
import * as sendMessageReducer from './module_bindings/send_message_reducer.js';
import * as setNameReducer from './module_bindings/set_name_reducer.js';
import { User } from './module_bindings/user.js';

/* The client that docs/quickstart.md builds, step by step. */

type Command =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'message'; readonly text: string };

const inputQueue: Command[] = [];
let localIdentity: Identity | undefined;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function userNameOrIdentity(user: User): string {
  return user.name ?? user.identity.toHexString().slice(0, 8);
}

function onUserRowUpdate(operation: RowOperation, oldUser: User | undefined, user: User | undefined): void {
  if (user === undefined) return;
  if (operation === 'insert') {
    if (user.online) print(`User ${userNameOrIdentity(user)} connected.`);
  } else if (oldUser !== undefined) {
    if (oldUser.online && !user.online) print(`User ${userNameOrIdentity(user)} disconnected.`);
    if (!oldUser.online && user.online) print(`User ${userNameOrIdentity(user)} connected.`);
    if (oldUser.name !== user.name) {
      print(`User ${userNameOrIdentity(oldUser)} renamed to ${userNameOrIdentity(user)}.`);
    }
  }
}

function onMessageRowUpdate(
  operation: RowOperation,
  _oldMessage: Message | undefined,
  message: Message | undefined,
  event: ReducerCallEvent | undefined,
): void {
  // Without an event it is backlog, which is printed in order when all of it is here.
  if (event !== undefined && operation === 'insert' && message !== undefined) printMessage(message);
}

function printMessage(message: Message): void {
  const user = User.filterByIdentity(message.sender);
  print(`${user === undefined ? 'unknown' : userNameOrIdentity(user)}: ${message.text}`);
}

function onSetNameReducer(
  senderId: Identity,
  _senderAddress: ConnectionId | undefined,
  status: ReducerStatus,
  message: string | undefined,
): void {
  if (localIdentity?.isEqual(senderId) === true && status === 'failed') {
    print(`Failed to set name: ${message}`);
  }
}

function onSendMessageReducer(
  senderId: Identity,
  _senderAddress: ConnectionId | undefined,
  status: ReducerStatus,
  message: string | undefined,
): void {
  if (localIdentity?.isEqual(senderId) === true && status === 'failed') {
    print(`Failed to send message: ${message}`);
  }
}

function printMessagesInOrder(): void {
  const sentAt = (message: Message): bigint => message.sent.microsSinceUnixEpoch;
  const messages = [...Message.iter()].toSorted((a, b) => (sentAt(a) < sentAt(b) ? -1 : 1));
  for (const message of messages) printMessage(message);
}

function onSubscriptionApplied(): void {
  print('\nSYSTEM: Connected.');
  printMessagesInOrder();
}

function onConnect(authToken: string, identity: Identity): void {
  localIdentity = identity;
  localConfig.setString('auth_token', authToken);
}

function registerCallbacks(client: SpacetimeDBAsyncClient): void {
  client.client.registerOnSubscriptionApplied(onSubscriptionApplied);
  User.registerRowUpdate(onUserRowUpdate);
  Message.registerRowUpdate(onMessageRowUpdate);
  setNameReducer.registerOnSetName(onSetNameReducer);
  sendMessageReducer.registerOnSendMessage(onSendMessageReducer);
  client.scheduleEvent(0.1, checkCommands, client);
}

function checkCommands(client: SpacetimeDBAsyncClient): void {
  const command = inputQueue.shift();
  if (command?.kind === 'name') setNameReducer.setName(command.name);
  else if (command?.kind === 'message') sendMessageReducer.sendMessage(command.text);
  client.scheduleEvent(0.1, checkCommands, client);
}

function runClient(client: SpacetimeDBAsyncClient, server: string): Promise<void> {
  const queries = ['SELECT * FROM User', 'SELECT * FROM Message'];
  return client.run(localConfig.getString('auth_token'), server, 'chat', false, onConnect, queries);
}

async function inputLoop(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) {
    if (line === '') return;
    if (line.startsWith('/name ')) inputQueue.push({ kind: 'name', name: line.slice('/name '.length) });
    else inputQueue.push({ kind: 'message', text: line });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { server: { type: 'string', default: 'localhost:3000' }, client: { type: 'string' } },
  });
  localConfig.init('.chorale-quickstart');
  const client = new SpacetimeDBAsyncClient(moduleBindings);
  registerCallbacks(client);
  const lines = createInterface({ input: process.stdin });
  // Without a connection there is nobody to type for.
  const running = runClient(client, values.server).finally(() => lines.close());
  await Promise.all([running, inputLoop(lines).finally(() => client.forceClose())]);
}

main().catch((error: unknown) => {
  const isExpected = error instanceof SpacetimeDBException || error instanceof localConfig.LocalConfigError;
  process.stderr.write(`${isExpected ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
