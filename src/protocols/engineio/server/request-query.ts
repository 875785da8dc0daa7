/** The parameters of Engine.IO in a request's query; the first of each name counts. Undefined if absent. */
export interface RequestQuery {
  readonly transport: string | undefined;
  readonly sid: string | undefined;
  readonly eio: string | undefined;
  readonly b64: string | undefined;
  readonly jsonp: string | undefined;
}

interface Draft {
  transport: string | undefined;
  sid: string | undefined;
  eio: string | undefined;
  b64: string | undefined;
  jsonp: string | undefined;
}

/** The whole query, for what is asked for once a session. */
export function queryString({ url = '' }: { readonly url?: string | undefined }): URLSearchParams {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1));
}

/** By hand, as it is done for every poll: URLSearchParams costs more than the rest of the routing together. */
export function readQuery(url: string): RequestQuery {
  const query: Draft = {
    transport: undefined,
    sid: undefined,
    eio: undefined,
    b64: undefined,
    jsonp: undefined,
  };
  let from = url.indexOf('?') + 1;
  while (from > 0) {
    const mark = url.indexOf('&', from);
    const end = mark < 0 ? url.length : mark;
    const equals = url.indexOf('=', from);
    const isPair = equals >= 0 && equals < end;
    take(query, url.slice(from, isPair ? equals : end), isPair ? url.slice(equals + 1, end) : '');
    from = mark + 1;
  }
  return query;
}

function take(query: Draft, name: string, value: string): void {
  if (name === 'transport') query.transport ??= decode(value);
  else if (name === 'sid') query.sid ??= decode(value);
  else if (name === 'EIO') query.eio ??= decode(value);
  else if (name === 'b64') query.b64 ??= decode(value);
  else if (name === 'j') query.jsonp ??= decode(value);
}

function decode(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
