import { ManualClock } from '../../src/base/clock.js';
import { seededRandom } from '../../src/base/random.js';
import { ByteWriter } from '../../src/base/byte-writer.js';
import { Snapshotter } from '../../src/engine/snapshotter.js';
import { KeyPair } from '../../src/identity/keys.js';
import { TokenAuthority } from '../../src/identity/tokens.js';
import type { SessionLink } from '../../src/protocols/spacetimedb/server/framing.js';
import { Session } from '../../src/protocols/spacetimedb/server/session.js';
import { DatabaseCatalog } from '../../src/server/catalog.js';
import { DatabaseStore } from '../../src/server/database-store.js';
import type { HostedDatabase } from '../../src/server/hosted-database.js';
import { ConnectionId, Identity } from '../../src/values/identity.js';
import { ledgerModule } from '../durability/ledger-module.js';
import { LEDGER, SubjectClient } from '../durability/wire-client.js';
import { SimulatedFolders } from './simulated-folders.js';
import type { Step } from './steps.js';

// Some ten batches, a quarter of them large: segments roll within a run, and so do the zeros that are written ahead.
const LOG_SIZES = { segmentBytesMax: 10_000, preallocateBytes: 1500, largeBatchBytes: 600 };
const CLIENTS_MAX = 8;
const OWNER = new Identity(1n);

/** What broke, after which step. */
export class SimulationFailure extends Error {
  readonly stepIndex: number;

  constructor(message: string, stepIndex: number) {
    super(message);
    this.stepIndex = stepIndex;
  }
}

interface SimClient {
  readonly client: SubjectClient;
  readonly session: Session;
  readonly link: { isOpen: boolean };
  readonly confirmed: boolean;
  /** How many keys it had asked for, in order. */
  readonly asked: string[];
}

/**
 * A whole server with clients in one thread: time, disk, network and randomness are made up, so the same steps give the same
 * run to the byte. After each restart, what is there is compared with what clients were told.
 */
export class Simulation {
  readonly #clock = new ManualClock();
  readonly #random = seededRandom(4711);
  readonly #folders = new SimulatedFolders();
  readonly #authority: TokenAuthority;
  #catalog: DatabaseCatalog | undefined;
  #clients: SimClient[] = [];
  #stepIndex = 0;
  #failure: SimulationFailure | undefined;
  #nextKey = 0;
  #nextConnection = 1n;
  /** Told to a confirmed client: must be there ever after. */
  readonly #promised = new Set<string>();
  /** Scheduled rows whose insertion was told to a confirmed client: must run, once. */
  readonly #promisedLater = new Set<string>();
  readonly #shown = new Set<string>();
  /** Why a confirmed client was refused. */
  readonly #reasons = new Set<string>();

  private constructor(authority: TokenAuthority) {
    this.#authority = authority;
  }

  /** Runs the steps and gives a digest of all that happened. Throws SimulationFailure. */
  static async run(steps: readonly Step[]): Promise<string> {
    const keys = KeyPair.generate();
    const clock = new ManualClock();
    const authority = new TokenAuthority({ keys, clock, random: seededRandom(1), oidc: undefined as never });
    const simulation = new Simulation(authority);
    await simulation.#open();
    for (const [i, step] of steps.entries()) {
      simulation.#stepIndex = i;
      await simulation.#do(step);
      await settle();
      simulation.#listen();
      if (simulation.#failure !== undefined) throw simulation.#failure;
    }
    return simulation.#end();
  }

  get #database(): HostedDatabase {
    return this.#catalog!.findByName('ledger')!;
  }

  async #open(): Promise<void> {
    this.#catalog = new DatabaseCatalog({
      authority: this.#authority,
      owner: OWNER,
      openToAll: false,
      clock: this.#clock,
      random: this.#random,
      schedule: queueMicrotask,
      store: new DatabaseStore(this.#folders, undefined, LOG_SIZES),
      retainMs: 0,
      embedded: { ledger: ledgerModule() },
      onError: (error) => this.#fail(`an error of the server: ${String(error)}`),
      onNotice: () => {},
    });
    await this.#catalog.open();
    await settle();
  }

  async #do(step: Step): Promise<void> {
    const disk = this.#folders.only;
    switch (step.kind) {
      case 'connect':
        if (this.#clients.length < CLIENTS_MAX) this.#connect(step.confirmed, step.subscribes);
        return;
      case 'leave':
        return this.#leave(step.client);
      case 'put':
        return this.#clientAt(step.client)?.client.put(...this.#keys(step.client, step.count));
      case 'putOnce':
        return this.#putOnce(step.client, this.#nextKey - 1 - step.back);
      case 'later':
        return this.#putLater(step.client, step.ms);
      case 'wait':
        return this.#clock.advance(step.ms);
      case 'slowDisk':
        disk.faults.delay = () =>
          step.ms === 0
            ? Promise.resolve()
            : new Promise((resolve) => void this.#clock.startTimer(step.ms, resolve));
        return;
      case 'shortWrites':
        disk.faults.writeBytesMax = step.bytes;
        return;
      case 'fault':
        disk.faults.beforeOperation = (operation) => {
          if (operation === step.operation) throw new Error(step.message);
        };
        return;
      case 'snapshot':
        return this.#snapshot();
      case 'jump':
        return this.#clock.setWallTime(this.#clock.nowMicros() + step.ms * 1000);
      case 'kill':
        disk.kill();
        return this.#recover();
      case 'cutPower': {
        const random = seededRandom(step.seed);
        disk.cutPower(() => random.nextFloat());
        return this.#recover();
      }
      case 'restart':
        disk.faults = {};
        this.#catalog!.closeSessions('restart');
        this.#clock.advance(5000);
        await this.#catalog!.close();
        return this.#recover();
    }
  }

  #connect(confirmed: boolean, subscribes: boolean): void {
    const link = { isOpen: true };
    const id = this.#nextConnection++;
    let session: Session;
    const client = new SubjectClient(LEDGER, (frame) => {
      if (!link.isOpen) return;
      session.receive(frame);
      session.endTurn();
    });
    const sessionLink: SessionLink = {
      get isOpen() {
        return link.isOpen;
      },
      send: (...parts) => {
        if (link.isOpen) client.receive(join(parts));
      },
      sendText: () => {},
      close: () => void (link.isOpen = false),
    };
    session = new Session({
      protocol: 'v3.bsatn.spacetimedb',
      database: this.#database,
      caller: {
        identity: new Identity(100n + id),
        connectionId: new ConnectionId(id),
        tokenPayload: undefined,
      },
      token: 'token',
      confirmed,
      link: sessionLink,
      onError: (error) => this.#fail(`an error of a session: ${String(error)}`),
    });
    if (!session.start()) return;
    this.#clients.push({ client, session, link, confirmed, asked: [] });
    if (subscribes) client.subscribe();
  }

  #clientAt(number: number): SimClient | undefined {
    return this.#clients[number % Math.max(1, this.#clients.length)];
  }

  #leave(number: number): void {
    const leaving = this.#clientAt(number);
    if (leaving === undefined) return;
    this.#clients = this.#clients.filter((each) => each !== leaving);
    leaving.link.isOpen = false;
    leaving.session.closed();
  }

  #keys(number: number, count: number): string[] {
    const keys = Array.from({ length: count }, () => `k${this.#nextKey++}`);
    this.#clientAt(number)?.asked.push(...keys);
    return keys;
  }

  #putOnce(number: number, keyNumber: number): void {
    const chosen = this.#clientAt(number);
    if (chosen === undefined || keyNumber < 0) return;
    const key = `k${keyNumber}`;
    if (!chosen.asked.includes(key)) chosen.asked.push(key);
    chosen.client.putOnce(key);
  }

  #putLater(number: number, ms: number): void {
    const chosen = this.#clientAt(number);
    if (chosen === undefined || !chosen.link.isOpen) return;
    const key = `later${this.#nextKey++}`;
    const args = new ByteWriter();
    args.writeString(key);
    args.writeU32(ms * 1000);
    const caller = { identity: OWNER, connectionId: undefined, tokenPayload: undefined };
    const { host, log } = this.#database;
    const outcome = host.callReducer('put_later', caller, args.finish());
    if (outcome.kind !== 'committed') return;
    const { offset } = outcome.commit;
    const stop = log.onDurable((durable) => {
      if (durable < offset) return;
      stop();
      this.#promisedLater.add(key);
    });
  }

  #snapshot(): void {
    const database = this.#database;
    const snapshotter = new Snapshotter(this.#folders.only.mount(), {
      databaseKey: database.identity.key,
      epoch: 1,
      sections: () => database.snapshotSections(),
      pause: async () => {},
      nowMs: () => this.#clock.nowMicros() / 1000,
    });
    // Killed, full or slow disks are part of the game.
    snapshotter.take(database.database).catch(() => {});
  }

  /** Takes note of what clients have been told so far. */
  #listen(): void {
    for (const { client, confirmed, asked } of this.#clients) {
      const answered = asked.filter((key) => client.acked.includes(key));
      if (answered.join() !== client.acked.join())
        this.#fail(`answers out of order: ${client.acked.join()} to ${asked.join()}`);
      if (!confirmed) continue;
      for (const key of client.acked) this.#promised.add(key);
      for (const key of client.seen) this.#shown.add(key);
      for (const key of client.refused) this.#reasons.add(key);
    }
  }

  /** The process is gone, with its clients; another one starts on the same disk. */
  async #recover(): Promise<void> {
    this.#listen();
    for (const { link } of this.#clients) link.isOpen = false;
    this.#clients = [];
    this.#folders.only.faults = {};
    await this.#open();
    this.#compare();
  }

  #compare(): void {
    const keys = this.#keysInTables();
    const known = new Set(keys);
    for (const key of this.#promised) if (!known.has(key)) this.#fail(`${key} was acknowledged and is gone`);
    for (const key of this.#shown)
      if (!known.has(key)) this.#fail(`${key} was shown to a confirmed subscriber and is gone`);
    for (const key of this.#reasons)
      if (!known.has(key)) this.#fail(`${key} was what a confirmed client was refused for, and is gone`);
    if (known.size !== keys.length) this.#fail('something was applied twice');
    const [total] = this.#database.database.table('total').rows();
    if (Number(total?.['value'] ?? 0) !== keys.length) this.#fail('half a transaction is there');
  }

  #keysInTables(): string[] {
    const { database } = this.#database;
    return database
      .table('entry')
      .rows()
      .map(({ key }) => String(key));
  }

  /** Everything calms down: what was scheduled runs, and a last start finds what was there. */
  async #end(): Promise<string> {
    await this.#do({ kind: 'restart' });
    // Scheduled rows wait for wall time, which may have jumped.
    this.#clock.advance(8 * 3_600_000);
    await settle();
    const before = this.#keysInTables();
    await this.#do({ kind: 'restart' });
    const after = this.#keysInTables();
    if (before.join() !== after.join()) this.#fail('a restart in good order changed something');
    const missing = [...this.#promisedLater].filter((key) => !after.includes(key));
    if (missing.length > 0) this.#fail(`scheduled and never run: ${missing.join()}`);
    await this.#catalog!.close();
    return `${after.length} lines, ${this.#promised.size} promised: ${after.join()}`;
  }

  #fail(message: string): never {
    // Kept too: it may happen within a callback whose errors are caught.
    this.#failure ??= new SimulationFailure(message, this.#stepIndex);
    throw this.#failure;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => void setImmediate(resolve));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  for (const part of parts) writer.writeRaw(part);
  return writer.finish();
}
