import type { WheelTask } from '../../../net/timer-wheel.js';
import { Uris } from '../messages/uri.js';
import type { Services } from './services.js';
import type { Session } from './session.js';

/** A subscriber whose queue is full. Events are dropped; if none fits for `slowMs`, it is sent away. */
export class SlowConsumer implements WheelTask {
  wheelDueMs = Infinity;
  readonly #session: Session;
  readonly #services: Services;

  constructor(session: Session, services: Services) {
    this.#session = session;
    this.#services = services;
    services.wheel.schedule(this, services.limits.slowMs);
  }

  /** It has caught up, or is gone. */
  end(): void {
    this.#services.wheel.cancel(this);
  }

  onWheelDue(): void {
    this.#session.kick(Uris.networkFailure, 'the session reads too slowly');
  }
}
