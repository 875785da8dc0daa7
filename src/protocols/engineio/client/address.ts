import type { TransportName } from '../messages/packet.js';

/** Where a session is reached. */
export interface Address {
  /** `http://host/engine.io/?` and the caller's own parameters, ready for more. */
  readonly http: string;
  /** The same with `ws:`. */
  readonly webSocket: string;
}

/** Host and query of `url` count, its path does not; schemes http, https, ws and wss mean the same server. Throws TypeError. */
export function parseAddress(url: string, path: string): Address {
  const parsed = new URL(url);
  const isSecure = ['https:', 'wss:'].includes(parsed.protocol);
  if (!isSecure && !['http:', 'ws:'].includes(parsed.protocol)) {
    throw new TypeError(`"${url}" must begin with http://, https://, ws:// or wss://`);
  }
  const inner = path.replace(/^\/+|\/+$/g, '');
  const query = parsed.search.slice(1);
  const rest = `://${parsed.host}/${inner === '' ? '' : `${inner}/`}?${query === '' ? '' : `${query}&`}`;
  return { http: (isSecure ? 'https' : 'http') + rest, webSocket: (isSecure ? 'wss' : 'ws') + rest };
}

export function requestUrl(
  address: Address,
  transport: TransportName,
  sid: string | undefined,
  timestampSeconds: number | undefined,
): string {
  const base = transport === 'polling' ? address.http : address.webSocket;
  const session = sid === undefined ? '' : `&sid=${encodeURIComponent(sid)}`;
  const stamp = timestampSeconds === undefined ? '' : `&t=${timestampSeconds}`;
  return `${base}transport=${transport}&EIO=4${session}${stamp}`;
}

/** The transports to use, in the caller's order. Throws TypeError if none of the names is one. */
export function chooseTransports(wanted: string | readonly string[] | undefined): readonly TransportName[] {
  const names =
    wanted === undefined ? ['polling', 'websocket'] : typeof wanted === 'string' ? [wanted] : wanted;
  const known = names.filter((name): name is TransportName => name === 'polling' || name === 'websocket');
  if (known.length === 0)
    throw new TypeError(`no valid transport in ${JSON.stringify(names)}: there are polling and websocket`);
  return known;
}
