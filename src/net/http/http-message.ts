import type { IncomingHttpHeaders } from 'node:http';

export interface HttpRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** Percent-decoded. Has no prototype. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  /** Aborted when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
  /** The whole body; HttpError 413 if it is larger than `bytesMax` (default: the route's limit). */
  readBody(bytesMax?: number): Promise<Uint8Array>;
}

export type HttpBody = string | Uint8Array | AsyncIterable<string | Uint8Array>;

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: HttpBody;
}

/** Answers a request. May throw HttpError; anything else that it throws becomes a bare 500. */
export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;
