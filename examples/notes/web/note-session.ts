import { Awareness, type ClientStatus, WebSocketClient, type WebSocketClientOptions } from 'chorale/rooms';
import { IndexeddbPersistence } from 'y-indexeddb';
import * as Y from 'yjs';

import { type Identity, loadIdentity } from './identity.js';
import type { Person } from './person.js';

/** `saved`: all of it is on the server's disk. `offline`: it is kept in this browser until there is a server. */
export type SaveState = 'connecting' | 'saving' | 'saved' | 'offline';

const RETRY_MS = 1000;

/** A note: at once in this browser, and as soon as there is a server in everybody's and on its disk. */
export class NoteSession {
  readonly doc = new Y.Doc();
  readonly text = this.doc.getText('text');
  readonly awareness = new Awareness(this.doc);
  /** Names by identity, of everybody who has ever been in a note. */
  readonly people = new Y.Doc().getMap('people');
  readonly #room: string;
  readonly #onState: (state: SaveState) => void;
  #person: Person;
  #identity: Identity | undefined;
  #client: WebSocketClient | undefined;
  #state: SaveState = 'connecting';
  // What an earlier page has written may not have been sent: there is something to save.
  #editCount = 1;
  #savedCount = 0;
  #isSaving = false;

  constructor(room: string, person: Person, onState: (state: SaveState) => void) {
    this.#room = room;
    this.#person = person;
    this.#onState = onState;
    this.doc.on('update', (_update, _origin, _doc, { local }) => {
      if (local) this.#onEdit();
    });
    this.introduce(person);
  }

  get token(): string | undefined {
    return this.#identity?.token;
  }

  /** Reads what this browser has, and connects for as long as the page is there. */
  async open(): Promise<void> {
    const kept = new IndexeddbPersistence(`chorale-${this.#room}`, this.doc);
    // Private windows have no database: the note is in memory, then.
    await Promise.race([kept.whenSynced, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
    void this.#connect();
  }

  introduce(person: Person): void {
    this.#person = person;
    this.awareness.setLocalStateField('user', person);
    if (this.#client !== undefined) this.#sign();
  }

  async #connect(): Promise<void> {
    for (;;) {
      try {
        this.#identity = await loadIdentity(location);
        const { token } = this.#identity;
        const { doc, awareness } = this;
        const onStatus = (status: ClientStatus): void => this.#onStatus(status);
        this.#client = makeClient({ id: this.#room, token, doc, awareness, onStatus });
        await this.#client.open();
        await makeClient({ id: 'people', token, doc: this.people.doc! }).open();
        return this.#sign();
      } catch {
        await this.#client?.close();
        this.#show('offline');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #onStatus(status: ClientStatus): void {
    if (status === 'closed') this.#show('offline');
    if (status !== 'connected') return;
    this.#show('saving');
    void this.#save();
  }

  #onEdit(): void {
    this.#editCount += 1;
    if (this.#state === 'saved') this.#show('saving');
    void this.#save();
  }

  async #save(): Promise<void> {
    if (this.#isSaving || this.#client === undefined) return;
    this.#isSaving = true;
    do {
      const count = this.#editCount;
      await this.#client.whenSaved();
      this.#savedCount = count;
    } while (this.#savedCount < this.#editCount);
    this.#isSaving = false;
    if (this.#client.status === 'connected') this.#show('saved');
  }

  #show(state: SaveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }

  /** Puts the name to the identity that the log knows. */
  #sign(): void {
    const { name, color } = this.#person;
    const identity = this.#identity?.identity;
    if (identity === undefined) return;
    const before = this.people.get(identity) as Partial<Person> | undefined;
    if (before?.name !== name || before.color !== color) this.people.set(identity, { name, color });
  }
}

function makeClient(options: Omit<WebSocketClientOptions, 'host' | 'port'>): WebSocketClient {
  const { protocol, hostname, port } = location;
  return new WebSocketClient({
    ...options,
    host: `${protocol}//${hostname}`,
    port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port),
    reconnect: { maxMs: 2000 },
  });
}
