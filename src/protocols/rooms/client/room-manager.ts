import type { Channel } from './channel.js';
import { Room } from './room.js';

/** A subclass of Room, or a function that makes one. */
export type RoomFactory = (new (id: string) => Room) | ((id: string) => Room | Promise<Room>);

export interface RoomServerOptions {
  /** What rooms are made with. Default: Room. */
  readonly room?: RoomFactory;
  /** How long a room without clients is kept, in milliseconds. Default 30 s: who comes back finds it as it was. */
  readonly lingerMs?: number;
  readonly onError?: (error: unknown) => void;
}

interface Held {
  readonly room: Promise<Room>;
  clientCount: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The rooms of one server. */
export class RoomManager {
  readonly #rooms = new Map<string, Held>();
  readonly #ending = new Map<string, Promise<void>>();
  readonly #factory: RoomFactory;
  readonly #lingerMs: number;
  readonly #onError: (error: unknown) => void;
  #isClosed = false;

  constructor({ room = Room, lingerMs = 30_000, onError = () => {} }: RoomServerOptions = {}) {
    this.#factory = room;
    this.#lingerMs = lingerMs;
    this.#onError = onError;
  }

  get roomCount(): number {
    return this.#rooms.size;
  }

  /** Serves a channel in the room that it names, until it ends. Never rejects. */
  async serve(channel: Channel): Promise<void> {
    // Counted before anything is awaited: the room cannot end between being found and being entered.
    const held = this.#hold(channel.id);
    try {
      const room = await held.room;
      if (this.#isClosed) return;
      await room.serve(channel);
    } catch (error) {
      this.#onError(error);
    } finally {
      await channel.close();
      this.#release(channel.id, held);
    }
  }

  /** The room of that name, if it is open. */
  async find(id: string): Promise<Room | undefined> {
    return await this.#rooms.get(id)?.room;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [id, held] of this.#rooms) this.#end(id, held);
    await Promise.all(this.#ending.values());
  }

  #hold(id: string): Held {
    let held = this.#rooms.get(id);
    if (held === undefined) {
      held = { room: this.#make(id), clientCount: 0, timer: undefined };
      this.#rooms.set(id, held);
    }
    clearTimeout(held.timer);
    held.clientCount += 1;
    return held;
  }

  async #make(id: string): Promise<Room> {
    // What its predecessor writes at its end, the new one reads at its beginning.
    await this.#ending.get(id);
    const room = isClass(this.#factory) ? new this.#factory(id) : await this.#factory(id);
    room.tasks.start((signal) => room.run(signal));
    return room;
  }

  #release(id: string, held: Held): void {
    held.clientCount -= 1;
    if (held.clientCount > 0 || this.#rooms.get(id) !== held) return;
    if (this.#lingerMs === 0) return this.#end(id, held);
    held.timer = setTimeout(() => this.#end(id, held), this.#lingerMs);
  }

  #end(id: string, held: Held): void {
    clearTimeout(held.timer);
    this.#rooms.delete(id);
    const ending = held.room
      .then((room) => room[Symbol.asyncDispose]())
      .catch((error: unknown) => this.#onError(error))
      .finally(() => void (this.#ending.get(id) === ending && this.#ending.delete(id)));
    this.#ending.set(id, ending);
  }
}

function isClass(factory: RoomFactory): factory is new (id: string) => Room {
  return factory === Room || factory.prototype instanceof Room;
}
