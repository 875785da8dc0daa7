import type { RoomAccess, RoomContext, RoomDefinition } from '../../../documents/room-definition.js';
import type { WheelTask } from '../../../net/timer-wheel.js';
import { REAUTHORIZE_MS_MIN } from './room-limits.js';
import type { RoomPatterns } from './room-patterns.js';
import type { RoomsOptions } from './rooms.js';

type OnStale = (definitions: ReadonlySet<RoomDefinition>) => void;

/** Asks modules who may do what, and knows when the answers may have become others. */
export class Permissions implements WheelTask {
  wheelDueMs = Infinity;
  readonly #options: RoomsOptions;
  readonly #patterns: () => RoomPatterns;
  /** By definition, the tables that its `authorize` has ever looked at. */
  readonly #readBy = new Map<RoomDefinition, Set<string>>();
  /** Counts the changes after which somebody has to be asked again. */
  version = 0;
  #stale = new Set<RoomDefinition>();
  #onStale: OnStale = () => {};
  #toldMs = -Infinity;

  constructor(options: RoomsOptions, patterns: () => RoomPatterns) {
    this.#options = options;
    this.#patterns = patterns;
  }

  /** After a failure of the log there is nothing to write to. */
  async ask(id: string, context: RoomContext): Promise<RoomAccess> {
    const definition = this.#patterns().find(id);
    if (definition === undefined) return 'deny';
    const { host, onError } = this.#options;
    try {
      const access = await this.#ask(definition.definition, definition.params, context);
      return access === 'write' && host.log.failure !== undefined ? 'read' : access;
    } catch (error) {
      onError(error, `authorize of room ${id}`);
      return 'deny';
    }
  }

  #ask(
    definition: RoomDefinition,
    params: Readonly<Record<string, string>>,
    context: RoomContext,
  ): RoomAccess | Promise<RoomAccess> {
    if (definition.authorize === undefined) return 'write';
    let read = this.#readBy.get(definition);
    if (read === undefined) this.#readBy.set(definition, (read = new Set()));
    const tables = read;
    return definition.authorize(
      this.#options.host.roomContext(context, (table) => tables.add(table)),
      params,
    );
  }

  /** Calls `onStale` with the definitions whose tables have changed: when the turn ends, but not too often. */
  watch(onStale: OnStale): () => void {
    this.#onStale = onStale;
    const stop = this.#options.host.onTablesChanged((tables) => this.#note(tables));
    return () => {
      stop();
      this.#options.wheel.cancel(this);
    };
  }

  #note(tables: readonly string[]): void {
    const wasFresh = this.#stale.size === 0;
    for (const [definition, read] of this.#readBy)
      if (tables.some((table) => read.has(table))) this.#stale.add(definition);
    if (this.#stale.size === 0) return;
    this.version += 1;
    if (!wasFresh) return;
    const { wheel, turns } = this.#options;
    const waitMs = this.#toldMs + REAUTHORIZE_MS_MIN - wheel.nowMs;
    if (waitMs > 0) wheel.schedule(this, waitMs);
    else turns.beforeFlush(() => this.#tell());
  }

  onWheelDue(): void {
    this.#tell();
  }

  #tell(): void {
    const stale = this.#stale;
    this.#stale = new Set();
    this.#toldMs = this.#options.wheel.nowMs;
    this.#onStale(stale);
  }

  /** Another module: what the one before looked at does not matter any more. */
  forget(): void {
    this.#readBy.clear();
  }
}
