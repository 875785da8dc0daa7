import { corsAnyOrigin } from '../../../../net/http/cors.js';
import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpRequest, HttpResponse } from '../../../../net/http/http-message.js';
import type { HttpRouter } from '../../../../net/http/http-router.js';
import type { WheelTask } from '../../../../net/timer-wheel.js';
import { joinBatch, splitBatch } from '../../messages/batch.js';
import type { RouterMessage } from '../../messages/message.js';
import { MessageError } from '../../messages/message-error.js';
import { findSubprotocol, type Serializer, type Wire } from '../../messages/serializer.js';
import type { Connection } from '../connection.js';
import type { Output, Sending, TransportInfo } from '../output.js';
import type { WampRouter } from '../router.js';
import { type SharedEvent, wireBytes } from '../shared-event.js';
import { encodeOrNothing } from './encode-or-nothing.js';

/*
 * Long-poll (spec "HTTP Longpoll Transport"), all of them POST:
 *
 *   <base>/open                  {"protocols": [...]} -> {"protocol", "transport"}
 *   <base>/<transport>/receive   held until there is something: one message, or in batched mode all there are.
 *                                Nothing for a while: an empty body, and the client asks again
 *   <base>/<transport>/send      one message, or a batch -> 202, or 400
 *   <base>/<transport>/close     -> 202
 */

/** Times in milliseconds. */
export interface LongPollLimits {
  /** How long `receive` is held. */
  readonly holdMs: number;
  /** A transport that was not asked for messages for this long is dropped. */
  readonly idleMs: number;
  /** More than this waiting for the next `receive` ends the transport. */
  readonly sendHardBytes: number;
  readonly transportsMax: number;
}

export const longPollLimitsDefault: LongPollLimits = {
  holdMs: 25_000, // proxies give up after 30 to 60 s
  idleMs: 30_000, // as WebSockets
  sendHardBytes: 16 * 1024 * 1024, // as WebSockets
  transportsMax: 10_000, // anybody may open them: about 20 MB
};

/** Serves long-poll transports below `base`. */
export function addLongPollRoutes(
  http: HttpRouter,
  router: WampRouter,
  serializers: readonly Serializer[],
  base = '/wamp/lp',
  limitsGiven: Partial<LongPollLimits> = {},
): void {
  const limits = { ...longPollLimitsDefault, ...limitsGiven };
  const transports = new Map<string, LongPollTransport>();
  // Whoever may come from anywhere brings no cookies.
  const options = {
    cors: corsAnyOrigin,
    bodyBytesMax: router.services.limits.messageBytesMax * 2,
  };
  const find = ({ params }: HttpRequest): LongPollTransport => {
    const transport = transports.get(params['transport']!);
    if (transport === undefined) throw new HttpError(404, 'there is no such transport');
    return transport;
  };
  http.route(
    'POST',
    `${base}/open`,
    async (request) => {
      const offered = await readOffer(request);
      for (const protocol of offered) {
        const found = typeof protocol === 'string' ? findSubprotocol(protocol, serializers) : undefined;
        if (found === undefined) continue;
        if (transports.size >= limits.transportsMax) throw new HttpError(503, 'too many transports');
        const name = Buffer.from(router.services.random.fill(new Uint8Array(18))).toString('base64url');
        const drop = (): void => void transports.delete(name);
        transports.set(
          name,
          new LongPollTransport(router, found.serializer, found.isBatched, limits, request, drop),
        );
        const headers = { 'content-type': 'application/json; charset=utf-8' };
        return { status: 200, headers, body: JSON.stringify({ protocol, transport: name }) };
      }
      throw new HttpError(400, 'none of the protocols is served');
    },
    options,
  );
  http.route(
    'POST',
    `${base}/:transport/receive`,
    (request) => find(request).receive(request.signal),
    options,
  );
  http.route(
    'POST',
    `${base}/:transport/send`,
    async (request) => {
      const transport = find(request);
      transport.take(await request.readBody());
      return { status: 202 };
    },
    options,
  );
  http.route(
    'POST',
    `${base}/:transport/close`,
    (request) => {
      find(request).close();
      return { status: 202 };
    },
    options,
  );
}

async function readOffer(request: HttpRequest): Promise<readonly unknown[]> {
  try {
    const body = JSON.parse(Buffer.from(await request.readBody(64 * 1024)).toString()) as {
      protocols?: unknown;
    };
    if (Array.isArray(body.protocols)) return body.protocols;
  } catch (error) {
    if (error instanceof HttpError) throw error;
  }
  throw new HttpError(400, 'the body is {"protocols": [...]}');
}

class LongPollTransport implements Output, WheelTask {
  wheelDueMs = Infinity;
  queuedBytes = 0;
  readonly #router: WampRouter;
  readonly #serializer: Serializer;
  readonly #isBatched: boolean;
  readonly #limits: LongPollLimits;
  readonly #connection: Connection;
  readonly #drop: () => void;
  #messages: Wire[] = [];
  #held: ((response: HttpResponse) => void) | undefined;
  #isEnding = false;

  constructor(
    router: WampRouter,
    serializer: Serializer,
    isBatched: boolean,
    limits: LongPollLimits,
    request: HttpRequest,
    drop: () => void,
  ) {
    this.#router = router;
    this.#serializer = serializer;
    this.#isBatched = isBatched;
    this.#limits = limits;
    this.#drop = drop;
    const bearer = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const info: TransportInfo = {
      type: 'longpoll',
      serializer: serializer.name,
      peer: request.remoteAddress,
      bearer,
    };
    this.#connection = router.connect(this, info);
    this.#wait(limits.idleMs);
  }

  send(message: RouterMessage): Sending {
    const wire = encodeOrNothing(this.#serializer, message);
    if (wire === undefined) return 'unencodable';
    this.#push(wire);
    return 'sent';
  }

  sendEvent(event: SharedEvent): void {
    const wire = event.wireFor(this.#serializer);
    if (wire !== undefined) this.#push(wire);
  }

  /** What is queued may still be fetched. */
  end(): void {
    this.#isEnding = true;
    if (this.#messages.length === 0) this.#vanish();
  }

  /** The client asks for messages. */
  receive(signal: AbortSignal): Promise<HttpResponse> {
    // Two at once would tear the order apart; the older one is as good as dead.
    this.#release({ status: 409 });
    return new Promise((resolve) => {
      this.#held = resolve;
      signal.addEventListener('abort', () => {
        if (this.#held === resolve) this.#held = undefined;
      });
      this.#wait(this.#limits.holdMs);
      this.#deliver();
    });
  }

  /** The client's messages. Throws HttpError 400 for what are none. */
  take(body: Uint8Array): void {
    try {
      const wires = this.#isBatched ? splitBatch(this.#serializer, body) : [body];
      for (const wire of wires) this.#connection.receive(this.#serializer.decode(wire), wire.length);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#connection.receiveGarbage(error);
      throw new HttpError(400, 'not a message');
    }
  }

  close(): void {
    this.#connection.lose();
    this.#vanish();
  }

  onWheelDue(): void {
    if (this.#held === undefined) return this.close();
    this.#release({ status: 200, body: '' });
    this.#wait(this.#limits.idleMs);
  }

  #push(wire: Wire): void {
    if (this.#isEnding) return;
    this.#messages.push(wire);
    this.queuedBytes += wire.length;
    if (this.queuedBytes > this.#limits.sendHardBytes) return this.close();
    // After the turn, so that a batch takes all of it.
    if (this.#messages.length === 1) setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    if (this.#held === undefined || this.#messages.length === 0) return;
    const type = this.#serializer.isBinary ? 'application/octet-stream' : 'application/json; charset=utf-8';
    const wire = this.#takeMessages();
    this.#release({ status: 200, headers: { 'content-type': type }, body: wireBytes(wire) });
    this.#wait(this.#limits.idleMs);
    if (this.#isEnding && this.#messages.length === 0) this.#vanish();
  }

  /** What one response carries. */
  #takeMessages(): Wire {
    if (!this.#isBatched) {
      const first = this.#messages.shift()!;
      this.queuedBytes -= first.length;
      return first;
    }
    const batch = joinBatch(this.#serializer, this.#messages);
    this.#messages = [];
    this.queuedBytes = 0;
    return batch;
  }

  #release(response: HttpResponse): void {
    const held = this.#held;
    this.#held = undefined;
    held?.(response);
  }

  #wait(ms: number): void {
    this.#router.services.wheel.schedule(this, ms);
  }

  #vanish(): void {
    this.#isEnding = true;
    this.#drop();
    this.#router.services.wheel.cancel(this);
    this.#release({ status: 404, body: 'the transport has ended' });
  }
}
