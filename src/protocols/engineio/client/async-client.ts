import type { AsyncQueue } from './async-queue.js';
import { Client } from './client.js';
import type { QueueEmpty } from './errors.js';
import type { EventFlag } from './event-flag.js';
import type { ClientDefaults, ClientOptions } from './options.js';

const PYTHON_DEFAULTS: ClientDefaults = { handleSigint: true, decode: 'python', isSendStrict: false };

/**
 * The client under its Python name and with python-engineio's defaults: interrupts are handled, text that is JSON is decoded, what
 * is sent without a connection is dropped. Its methods and attributes also go by their Python names.
 */
export class AsyncClient extends Client {
  constructor(options: ClientOptions = {}) {
    super(options, PYTHON_DEFAULTS);
  }

  /** Seconds. */
  get request_timeout(): number {
    return this.settings.requestMs / 1000;
  }

  /** Seconds; null without a connection. */
  get ping_interval(): number | null {
    return this.pingIntervalMs === undefined ? null : this.pingIntervalMs / 1000;
  }

  /** Seconds; null without a connection. */
  get ping_timeout(): number | null {
    return this.pingTimeoutMs === undefined ? null : this.pingTimeoutMs / 1000;
  }

  get base_url(): string {
    return this.baseUrl;
  }

  get current_transport(): string {
    return this.transport();
  }

  get event_names(): readonly string[] {
    return this.eventNames;
  }

  is_asyncio_based(): boolean {
    return true;
  }

  start_background_task<Arguments extends unknown[], Result>(
    target: (...args: Arguments) => Result | Promise<Result>,
    ...args: Arguments
  ): Promise<Result> {
    return this.startBackgroundTask(target, ...args);
  }

  create_queue<Item = unknown>(maxsize = 0): AsyncQueue<Item> {
    return this.createQueue<Item>(maxsize);
  }

  get_queue_empty_exception(): typeof QueueEmpty {
    return this.getQueueEmptyException();
  }

  create_event(): EventFlag {
    return this.createEvent();
  }
}
