import { AsyncQueue } from './async-queue.js';
import { QueueEmpty } from './errors.js';
import { EventFlag } from './event-flag.js';
import type { makeLogger } from './logger.js';

/** What python-engineio's client and server both give applications for tasks of their own. */
export abstract class TaskTools {
  protected readonly logger: ReturnType<typeof makeLogger>;

  constructor(logger: ReturnType<typeof makeLogger>) {
    this.logger = logger;
  }

  /** Runs a task; what it throws is logged. */
  startBackgroundTask<Arguments extends unknown[], Result>(
    target: (...args: Arguments) => Result | Promise<Result>,
    ...args: Arguments
  ): Promise<Result> {
    const task = Promise.resolve().then(() => target(...args));
    task.catch((error: unknown) => this.logger.error('a background task failed', error));
    return task;
  }

  /** Waits for `seconds`. */
  async sleep(seconds = 0): Promise<void> {
    await new Promise<void>((resolve) => void setTimeout(resolve, seconds * 1000));
  }

  createQueue<Item = unknown>(maxsize = 0): AsyncQueue<Item> {
    return new AsyncQueue<Item>(maxsize);
  }

  getQueueEmptyException(): typeof QueueEmpty {
    return QueueEmpty;
  }

  createEvent(): EventFlag {
    return new EventFlag();
  }
}
