import type { Registration } from '../../../hub/registration-table.js';
import type { Subscription } from '../../../hub/subscription-table.js';
import { IdSequence } from '../messages/ids.js';
import { type Dict, MessageType } from '../messages/message.js';
import { Payload } from '../messages/payload.js';
import type { Authorization, SessionInfo } from './options.js';
import type { CallInFlight } from './call.js';
import type { AnnouncedFeatures } from './features.js';
import type { Output, TransportInfo } from './output.js';
import type { Services } from './services.js';
import type { SharedEvent } from './shared-event.js';
import { SlowConsumer } from './slow-consumer.js';

/** An event that leaves when its session does. */
export interface Testament {
  readonly topic: string;
  readonly payload: Payload;
  readonly options: Dict;
  readonly scope: 'destroyed' | 'detached';
}

export interface CachedAuthorization {
  readonly answer: Authorization;
  readonly untilMs: number;
}

/** A member of a realm: who it is, and everything that has to be undone when it leaves. */
export class Session implements SessionInfo {
  readonly session: number;
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authprovider: string;
  readonly authextra: Dict;
  readonly context: unknown;
  readonly features: AnnouncedFeatures;
  readonly transport: TransportInfo;
  readonly output: Output;
  /** Says goodbye and ends the session; quietly: without testaments and events about it. */
  readonly kick: (reason: string, message?: string, isQuiet?: boolean) => void;
  isOpen = true;
  /** Serves in the name of the embedding application: it has no transport, and nobody takes its procedures away. */
  isResident = false;

  readonly subscriptions = new Set<Subscription<Session>>();
  readonly registrations = new Set<Registration<Session>>();
  /** As a caller, by request. */
  readonly calls = new Map<number, CallInFlight>();
  /** What is kept of these. */
  callBytes = 0;
  /** Of progressive calls: what the application's procedures have not read yet. */
  inputBytes = 0;
  /** As a callee, by invocation. */
  readonly invocations = new Map<number, CallInFlight>();
  readonly invocationIds = new IdSequence();
  /** Invocations up to this one were sent: an answer to one of them may come late, and is no violation. */
  lastInvocation = 0;
  /** The highest request id so far. */
  requestWatermark = 0;
  testaments: readonly Testament[] = [];
  readonly authorizations = new Map<string, CachedAuthorization>();
  /** Events that were dropped because the peer reads too slowly. */
  droppedEvents = 0;
  readonly #services: Services;
  /** While no event fits into the queue. */
  #slow: SlowConsumer | undefined;

  constructor(
    services: Services,
    info: SessionInfo,
    features: AnnouncedFeatures,
    transport: TransportInfo,
    output: Output,
    kick: Session['kick'],
  ) {
    this.#services = services;
    this.session = info.session;
    this.realm = info.realm;
    this.authid = info.authid;
    this.authrole = info.authrole;
    this.authmethod = info.authmethod;
    this.authprovider = info.authprovider;
    this.authextra = info.authextra;
    this.context = info.context;
    this.features = features;
    this.transport = transport;
    this.output = output;
    this.kick = kick;
  }

  /** Drops the event when the peer is behind; who stays behind is sent away. */
  sendEvent(event: SharedEvent): void {
    if (this.output.queuedBytes > this.#services.limits.queueBytes) {
      this.droppedEvents++;
      if (this.isOpen) this.#slow ??= new SlowConsumer(this, this.#services);
      return;
    }
    if (this.#slow !== undefined) this.forgive();
    this.output.sendEvent(event);
  }

  /** It is not behind any more, or not here. */
  forgive(): void {
    this.#slow?.end();
    this.#slow = undefined;
  }

  sendError(requestType: number, request: number, error: string, text = ''): void {
    const payload = text === '' ? Payload.empty : Payload.of([text]);
    this.output.send({ type: MessageType.error, requestType, request, details: {}, error, payload });
  }

  /** As the meta API shows it. */
  describe(): Dict {
    const { session, authid, authrole, authmethod, authprovider } = this;
    const { type, serializer, peer } = this.transport;
    const transport = { type, serializer, peer };
    const lost = this.droppedEvents === 0 ? {} : { x_dropped_events: this.droppedEvents };
    return { session, authid, authrole, authmethod, authprovider, transport, ...lost };
  }
}
