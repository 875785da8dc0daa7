import type { HttpResponse } from '../../../../net/http/http-message.js';

type Headers = Readonly<Record<string, string>>;

export function textAnswer(status: number, body = '', headers: Headers = {}): HttpResponse {
  return { status, body, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } };
}

/** @param body JSON text, or a value without bigints. */
export function jsonAnswer(status: number, body: object | string, headers: Headers = {}): HttpResponse {
  return jsonTextAnswer(status, JSON.stringify(body), headers);
}

export function jsonTextAnswer(status: number, json: string, headers: Headers = {}): HttpResponse {
  return { status, body: json, headers: { 'content-type': 'application/json', ...headers } };
}

export function emptyAnswer(status = 200, headers: Headers = {}): HttpResponse {
  return { status, headers };
}
