import { ConnectionError, type Identity } from 'chorale/client';
import { DbConnection } from '../generated/index.js';

/*
 * What the page and the terminal have in common: a connection, which comes back by itself when it was cut, and what it has
 * seen. Only the first connection, and one with a token that the server does not know any more, is made anew here.
 */

export interface Person {
  readonly id: string;
  /** His name, or the first digits of his identity. */
  readonly label: string;
  readonly name: string | undefined;
  readonly isOnline: boolean;
}

export interface Message {
  readonly senderId: string;
  readonly sentMicros: bigint;
  readonly text: string;
}

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  /** Tries again at `retryAtMs` (as Date.now() counts). */
  | { readonly kind: 'waiting'; readonly retryAtMs: number };

export interface ChatListener {
  onState(state: ConnectionState): void;
  /** The people or the messages are not what they were. */
  onChange(): void;
  /** Somebody wrote something just now; not called for what was there when we came. */
  onMessage?(message: Message): void;
  /** Something happened to a person just now. `before` is undefined for a new one. */
  onPerson?(before: Person | undefined, after: Person): void;
  /** The server does not accept our token any more: we are somebody new. */
  onStranger(): void;
}

export interface TokenStore {
  read(): string | undefined;
  write(token: string | undefined): void;
}

export interface ChatOptions {
  /** `http://localhost:3000` */
  readonly uri: string;
  readonly database: string;
  readonly tokens: TokenStore;
  readonly listener: ChatListener;
}

// From half a second, doubling up to ten: quick after a hiccup, polite to a server that is down.
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 10_000;

/** A seat in the chat. Reconnects until it is closed, and keeps showing what it knew meanwhile. */
export class ChatSession {
  readonly #options: ChatOptions;
  readonly #people = new Map<string, Person>();
  #messages: Message[] = [];
  #connection: DbConnection | undefined;
  #identity: Identity | undefined;
  #attempts = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #isApplied = false;
  /** Whether the present connection had its rows before it was cut. */
  #hadRows = false;
  #isClosed = false;

  constructor(options: ChatOptions) {
    this.#options = options;
  }

  /** Who we are: the hexadecimal identity. Undefined before the first connection. */
  get myId(): string | undefined {
    return this.#identity?.toHexString();
  }

  get isOnline(): boolean {
    return this.#isApplied;
  }

  /** Everybody who was ever here: the present ones first, then by name. */
  get people(): readonly Person[] {
    return [...this.#people.values()].sort(
      (a, b) => Number(b.isOnline) - Number(a.isOnline) || a.label.localeCompare(b.label),
    );
  }

  /** Oldest first. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  person(id: string): Person {
    return this.#people.get(id) ?? { id, label: shortId(id), name: undefined, isOnline: false };
  }

  /** Connects, now: also when the next try would be later. */
  connect(): void {
    clearTimeout(this.#retryTimer);
    this.#connection?.reconnectNow();
    if (this.#isClosed || this.#connection !== undefined) return;
    this.#options.listener.onState({ kind: 'connecting' });
    const { uri, database, tokens } = this.#options;
    const token = tokens.read();
    this.#connection = DbConnection.builder()
      .withUri(uri)
      .withDatabaseName(database)
      .withToken(token)
      .withLog(() => undefined)
      .onConnect((connection, identity, newToken) => this.#connected(connection, identity, newToken))
      .onReconnecting((_, { delayMs }) => this.#cut(delayMs))
      .onReconnected((connection) => {
        if (this.#hadRows) this.#applied(connection);
      })
      .onDisconnect(() => void this.#refused(tokens.read()))
      .onConnectError(() => void this.#refused(token))
      .build();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#connection?.disconnect();
  }

  /** Rejects with the server's reason, made for people. */
  async setName(name: string): Promise<void> {
    await this.#online().reducers.setName({ name });
  }

  async send(text: string): Promise<void> {
    await this.#online().reducers.sendMessage({ text });
  }

  #online(): DbConnection {
    if (this.#connection !== undefined && this.#isApplied) return this.#connection;
    throw new ConnectionError('DISCONNECTED', 'You are not connected at the moment');
  }

  #connected(connection: DbConnection, identity: Identity, token: string): void {
    this.#identity = identity;
    this.#options.tokens.write(token);
    this.#watch(connection);
    connection
      .subscriptionBuilder()
      .onApplied(() => this.#applied(connection))
      .subscribe(['SELECT * FROM user', 'SELECT * FROM message']);
  }

  /** The rows of the new connection replace what was known from the last one. */
  #applied(connection: DbConnection): void {
    this.#hadRows = true;
    this.#people.clear();
    for (const row of connection.db.user.iter()) this.#putPerson(row);
    this.#messages = [...connection.db.message.iter()].map(toMessage).sort(byTime);
    this.#isApplied = true;
    this.#attempts = 0;
    this.#options.listener.onChange();
    this.#options.listener.onState({ kind: 'online' });
  }

  /** Rows that were there when we came are read by #applied; here only what happens afterwards. */
  #watch({ db }: DbConnection): void {
    db.user.onInsert(({ event }, row) => {
      if (event.tag !== 'SubscribeApplied') this.#changePerson(row);
    });
    db.user.onUpdate((_ctx, _old, row) => this.#changePerson(row));
    db.message.onInsert(({ event }, row) => {
      if (event.tag !== 'SubscribeApplied') this.#addMessage(toMessage(row));
    });
  }

  #changePerson(row: UserRow): void {
    const before = this.#people.get(row.identity.toHexString());
    const after = this.#putPerson(row);
    this.#options.listener.onChange();
    this.#options.listener.onPerson?.(before, after);
  }

  #putPerson({ identity, name, online }: UserRow): Person {
    const id = identity.toHexString();
    const person = { id, label: name ?? shortId(id), name, isOnline: online };
    this.#people.set(id, person);
    return person;
  }

  #addMessage(message: Message): void {
    const last = this.#messages.at(-1);
    this.#messages.push(message);
    if (last !== undefined && byTime(last, message) > 0) this.#messages.sort(byTime);
    this.#options.listener.onChange();
    this.#options.listener.onMessage?.(message);
  }

  /** The connection comes back by itself; what was there stays on the screen. */
  #cut(delayMs: number): void {
    this.#isApplied = false;
    this.#options.listener.onState({ kind: 'waiting', retryAtMs: Date.now() + delayMs });
  }

  #lost(): void {
    this.#connection = undefined;
    this.#isApplied = false;
    this.#hadRows = false;
    if (!this.#isClosed) this.#retryLater();
  }

  /** No connection was made, or not again. With a token, the reason may be that the server does not know it. */
  async #refused(token: string | undefined): Promise<void> {
    if (!this.#isClosed && token !== undefined && (await this.#isUnknown(token))) {
      this.#options.tokens.write(undefined);
      this.#options.listener.onStranger();
    }
    this.#lost();
  }

  async #isUnknown(token: string): Promise<boolean> {
    try {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(new URL('/v1/ping', this.#options.uri), { headers })).status === 401;
    } catch {
      return false;
    }
  }

  #retryLater(): void {
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** this.#attempts++, RETRY_MAX_MS);
    this.#options.listener.onState({ kind: 'waiting', retryAtMs: Date.now() + delayMs });
    this.#retryTimer = setTimeout(() => this.connect(), delayMs);
  }
}

interface UserRow {
  readonly identity: Identity;
  readonly name?: string | undefined;
  readonly online: boolean;
}

interface MessageRow {
  readonly sender: Identity;
  readonly sent: { readonly microsSinceUnixEpoch: bigint };
  readonly text: string;
}

function toMessage({ sender, sent, text }: MessageRow): Message {
  return { senderId: sender.toHexString(), sentMicros: sent.microsSinceUnixEpoch, text };
}

function byTime(a: Message, b: Message): number {
  return a.sentMicros < b.sentMicros ? -1 : a.sentMicros > b.sentMicros ? 1 : 0;
}

/** The first digits of an identity: what the nameless are called. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
