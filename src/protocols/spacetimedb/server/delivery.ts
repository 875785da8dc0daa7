import { ByteWriter } from '../../../base/byte-writer.js';
import type { CommitLog, TxOffset } from '../../../engine/log/commit-log.js';
import { SERVER_FRAME_BYTES } from '../messages/frame.js';
import { CloseCode } from './close-code.js';
import type { Framing, Payload, SessionLink } from './framing.js';

/** Runs `flush` once, when everything that arrived together has been handled. */
export type FlushScheduler = (flush: () => void) => void;

const TURN_BYTES = 64 * 1024;
// 2 MiB: four frames of the usual greatest size. A snapshot that was larger does not keep its memory.
const TURN_BYTES_KEPT = 4 * SERVER_FRAME_BYTES;

/**
 * Where messages of one database's connections wait: for the end of the turn, so that one frame holds many, and for
 * the disk where the client wants to hear of confirmed things only.
 */
export class Delivery {
  /** For messages that are written while a turn is handled. Whoever writes claims it first. */
  turnWriter = new ByteWriter(TURN_BYTES);
  /** For updates that are kept as bytes of their own. */
  readonly scratch = new ByteWriter(16 * 1024);
  readonly #log: CommitLog;
  readonly #schedule: FlushScheduler;
  readonly #stop: readonly (() => void)[];
  #turnOwner: TurnOwner | undefined;
  #dirty: Outbox[] = [];
  #held = new Set<Outbox>();
  #isScheduled = false;

  constructor(log: CommitLog, schedule: FlushScheduler = queueMicrotask) {
    this.#log = log;
    this.#schedule = schedule;
    this.#stop = [log.onDurable(() => this.#release()), log.onFailed(() => this.#giveUp())];
  }

  /** Makes `owner` the one whose messages are in `turnWriter`; what another one left there is sealed. */
  claim(owner: TurnOwner): ByteWriter {
    if (this.#turnOwner !== owner) {
      this.#turnOwner?.sealTurn();
      this.#turnOwner = owner;
    }
    return this.turnWriter;
  }

  isOwner(owner: TurnOwner): boolean {
    return this.#turnOwner === owner;
  }

  /** Throws away what `owner` wrote, if he is the one. */
  disclaim(owner: TurnOwner): void {
    if (this.#turnOwner !== owner) return;
    this.#turnOwner = undefined;
    this.turnWriter.reset();
  }

  /** What the owner wrote, as bytes of its own; nobody owns the writer afterwards. */
  takeTurn(): Uint8Array {
    this.#turnOwner = undefined;
    const bytes = this.turnWriter.finish();
    if (this.turnWriter.bytes.length > TURN_BYTES_KEPT) this.turnWriter = new ByteWriter(TURN_BYTES);
    return bytes;
  }

  get durableOffset(): TxOffset {
    return this.#log.durableOffset;
  }

  /** Has `outbox` flushed at the end of the turn. */
  markDirty(outbox: Outbox): void {
    this.#dirty.push(outbox);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#onTurnEnd);
  }

  /** Has `outbox` flushed when the disk has caught up. */
  hold(outbox: Outbox): void {
    this.#held.add(outbox);
    if (this.#log.failure !== undefined) this.#giveUp();
  }

  forget(outbox: Outbox): void {
    this.#held.delete(outbox);
  }

  /** Stops listening to the log. */
  close(): void {
    for (const stop of this.#stop) stop();
  }

  readonly #onTurnEnd = (): void => {
    this.#isScheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const outbox of dirty) outbox.flush();
  };

  /** What waits for the disk will never be true. */
  #giveUp(): void {
    const held = this.#held;
    this.#held = new Set();
    for (const outbox of held) outbox.giveUp();
  }

  #release(): void {
    if (this.#held.size === 0) return;
    const held = this.#held;
    this.#held = new Set();
    for (const outbox of held) outbox.flush();
  }
}

/** Somebody who writes into the shared writer. */
export interface TurnOwner {
  /** Takes what he wrote out of the writer. */
  sealTurn(): void;
}

interface Waiting {
  readonly payload: Payload;
  readonly offset: TxOffset;
}

/**
 * The messages of one connection on their way out, in order. An entry may leave when its transaction is durable
 * (`confirmed`) and everything before it has left.
 */
export class Outbox {
  readonly #delivery: Delivery;
  readonly #link: SessionLink;
  readonly #framing: Framing;
  readonly #confirmed: boolean;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isDirty = false;
  #isClosed = false;

  constructor(delivery: Delivery, link: SessionLink, framing: Framing, confirmed: boolean) {
    this.#delivery = delivery;
    this.#link = link;
    this.#framing = framing;
    this.#confirmed = confirmed;
  }

  /** Bytes, or characters of a text, that have not been given to the link yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Queues one message (v3: one or more) that reflects transactions up to `offset`, 0 if none.
   * The bytes must not change any more.
   */
  push(payload: Payload, offset: TxOffset): void {
    if (this.#isClosed) return;
    this.#waiting.push({ payload, offset });
    this.#waitingBytes += payload.length;
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#delivery.markDirty(this);
  }

  /** Sends what may be said now. */
  flush(): void {
    this.#isDirty = false;
    const waiting = this.#waiting;
    const count = this.#confirmed ? this.#countDurable() : waiting.length;
    if (count === waiting.length) {
      this.#waiting = [];
      this.#waitingBytes = 0;
    } else {
      this.#waiting = waiting.slice(count);
      for (let i = 0; i < count; i++) this.#waitingBytes -= waiting[i]!.payload.length;
      this.#delivery.hold(this);
    }
    this.#framing.send(this.#link, waiting, count);
  }

  /** The disk is lost: what waits for it is not said, and nothing after it. */
  giveUp(): void {
    this.close();
    this.#link.close(CloseCode.error, "the database's log has failed");
  }

  /** Drops what is left: the connection is gone. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#delivery.forget(this);
  }

  #countDurable(): number {
    const durable = this.#delivery.durableOffset;
    const waiting = this.#waiting;
    let count = 0;
    while (count < waiting.length && waiting[count]!.offset <= durable) count++;
    return count;
  }
}
