import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Packet, ProtocolVersion } from '../messages/packet.js';
import type { PayloadLimits } from '../messages/payload.js';
import { POLL_BYTES_MAX, PYTHON_PACKETS_MAX } from './options.js';
import { writePoll } from './poll-response.js';
import type { RequestQuery } from './request-query.js';
import type { SessionHost } from './session-host.js';

/** The HTTP half of a session: at most one GET that waits and one POST that is read. */
export class PollingChannel {
  readonly limits: PayloadLimits;
  isPosting = false;
  readonly #host: SessionHost;
  readonly #protocol: ProtocolVersion;
  #request: IncomingMessage | undefined;
  #response: ServerResponse | undefined;
  #query: RequestQuery | undefined;
  #isHandshake = true;

  constructor(host: SessionHost, protocol: ProtocolVersion, userAgent: string | undefined) {
    this.#host = host;
    this.#protocol = protocol;
    const isPython = userAgent !== undefined && /^(?:Python\/|python-requests\/)/.test(userAgent);
    this.limits = { bytesMax: POLL_BYTES_MAX, packetsMax: isPython ? PYTHON_PACKETS_MAX : Infinity };
  }

  /** Whether a GET waits for packets. */
  get isWaiting(): boolean {
    return this.#response !== undefined;
  }

  /** Keeps a GET until there is something to say; `onAborted` if its client goes away first. */
  hold(request: IncomingMessage, response: ServerResponse, query: RequestQuery, onAborted: () => void): void {
    this.#request = request;
    this.#response = response;
    this.#query = query;
    response.on('close', () => {
      if (this.#response !== response) return;
      this.#forget();
      onAborted();
    });
  }

  /** Answers the GET that waits, if there is one. */
  answer(packets: readonly Packet[], sid: string): void {
    const request = this.#request;
    const response = this.#response;
    const query = this.#query;
    if (request === undefined || response === undefined || query === undefined) return;
    this.#forget();
    const headers = this.#host.makeHeaders(request, this.#isHandshake, sid);
    this.#isHandshake = false;
    writePoll(request, response, headers, packets, {
      protocol: this.#protocol,
      isBinary: query.b64 === undefined,
      jsonp: query.jsonp?.replaceAll(/\D/g, ''),
      compression: this.#host.settings.compression,
    });
  }

  #forget(): void {
    this.#request = this.#response = this.#query = undefined;
  }
}
