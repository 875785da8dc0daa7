import {
  clearLine,
  clearScreenDown,
  createInterface,
  cursorTo,
  moveCursor,
  type Interface,
} from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { stripVTControlCharacters, styleText } from 'node:util';
import {
  ChatSession,
  type ConnectionState,
  type Message,
  type Person,
  type TokenStore,
} from '../client/chat-session.js';

export interface TerminalChatOptions {
  readonly uri: string;
  readonly tokens: TokenStore;
  readonly input: Readable;
  /** Gets colours and a prompt only if it is a terminal. */
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

const PROMPT = '> ';

type Style = 'dim' | 'bold' | 'cyan' | 'yellow' | 'red';

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

// 100: a screen or two of what was said before we came.
const HISTORY_MAX = 100;

/** The chat as lines: what people write goes in, what others write comes out. */
export class TerminalChat {
  readonly #output: TerminalChatOptions['output'];
  readonly #isTty: boolean;
  readonly #hasColours: boolean;
  readonly #session: ChatSession;
  readonly #lines: Interface;
  #wasWelcomed = false;
  #wasOffline = false;
  /** Lines typed before we were connected, and calls under way: they happen in order, and before we leave. */
  #queue: Promise<void> = Promise.resolve();
  #whenOnline!: () => void;
  readonly #online = new Promise<void>((done) => (this.#whenOnline = done));

  constructor(options: TerminalChatOptions) {
    this.#output = options.output;
    this.#isTty = options.output.isTTY === true;
    this.#hasColours = this.#isTty && (process.env['NO_COLOR'] ?? '') === '';
    this.#lines = createInterface({
      input: options.input,
      output: this.#isTty ? options.output : undefined,
      prompt: PROMPT,
    });
    this.#session = new ChatSession({
      uri: options.uri,
      database: 'chat',
      tokens: options.tokens,
      listener: {
        onState: (state) => this.#showState(state, options.uri),
        onChange: () => undefined,
        onMessage: (message) => this.#showMessage(message),
        onPerson: (before, after) => this.#showPerson(before, after),
        onStranger: () =>
          this.#say('The server does not know you from before: you are somebody new.', 'yellow'),
      },
    });
  }

  run(): void {
    this.#lines.on('line', (line) => {
      if (this.#isTty) this.#eraseTyped(line);
      this.#queue = this.#queue.then(() => this.#obey(line));
    });
    this.#lines.on('close', () => {
      void this.#queue.then(() => this.#session.close());
    });
    this.#session.connect();
  }

  /** What was typed comes back as a message with its time; both would be one too many. */
  #eraseTyped(line: string): void {
    // Some terminals say they have none.
    const columns = this.#output.columns || 80;
    moveCursor(this.#output, 0, -Math.floor((PROMPT.length + line.length) / columns) - 1);
    clearScreenDown(this.#output);
  }

  async #obey(line: string): Promise<void> {
    await this.#online;
    try {
      await this.#run(line.trim());
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error), 'red');
    }
    if (this.#isTty) this.#lines.prompt();
  }

  async #run(line: string): Promise<void> {
    const [, command, rest = ''] = /^\/(\w+)\s*(.*)$/s.exec(line) ?? [];
    if (line === '') return;
    if (command === undefined) return await this.#session.send(line);
    if (command === 'name') return await this.#session.setName(rest);
    if (command === 'who') return this.#showPeople();
    if (command === 'quit') return this.#lines.close();
    this.#say('Commands: /name NAME, /who, /quit. Everything else is a message.', 'dim');
  }

  #showState(state: ConnectionState, uri: string): void {
    if (state.kind === 'online') return this.#showOnline();
    if (state.kind !== 'waiting' || this.#wasOffline) return;
    this.#wasOffline = true;
    const lost = this.#wasWelcomed
      ? 'Connection lost. Reconnecting …'
      : `Nobody answers at ${uri}. Trying again …`;
    this.#say(lost, 'yellow');
  }

  #showOnline(): void {
    if (this.#wasWelcomed) {
      if (this.#wasOffline) this.#say('Connected again.', 'dim');
    } else {
      for (const message of this.#session.messages.slice(-HISTORY_MAX)) this.#showMessage(message);
      this.#say(
        `Connected as ${this.#label(this.#session.myId ?? '')}. /name NAME changes that, /who lists who is here.`,
        'dim',
      );
    }
    this.#wasWelcomed = true;
    this.#wasOffline = false;
    this.#whenOnline();
    if (this.#isTty) this.#lines.prompt();
  }

  #showMessage({ senderId, sentMicros, text }: Message): void {
    const time = this.#paint('dim', TIME.format(new Date(Number(sentMicros / 1000n))));
    const label = this.#paint(senderId === this.#session.myId ? 'bold' : 'cyan', this.#label(senderId));
    this.#print(`${time} ${label}: ${harmless(text)}`);
  }

  #showPerson(before: Person | undefined, after: Person): void {
    const label = harmless(after.label);
    if (before !== undefined && before.label !== after.label)
      this.#say(`${harmless(before.label)} is now ${label}`, 'dim');
    if (after.id === this.#session.myId || (before?.isOnline ?? false) === after.isOnline) return;
    this.#say(`${label} ${after.isOnline ? 'connected' : 'disconnected'}`, 'dim');
  }

  #showPeople(): void {
    const online = this.#session.people.filter((person) => person.isOnline);
    this.#say(`${online.length} online: ${online.map((person) => harmless(person.label)).join(', ')}`, 'dim');
  }

  #label(id: string): string {
    return harmless(this.#session.person(id).label);
  }

  #say(text: string, style: Style): void {
    this.#print(this.#paint(style, text));
  }

  /** Above what is being typed, which stays as it is. */
  #print(line: string): void {
    if (!this.#isTty) return void this.#output.write(`${line}\n`);
    cursorTo(this.#output, 0);
    clearLine(this.#output, 0);
    this.#output.write(`${line}\n`);
    this.#lines.prompt(true);
  }

  #paint(style: Style, text: string): string {
    return this.#hasColours ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Others choose what they write: control characters could move the cursor or retitle the window. */
function harmless(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}
