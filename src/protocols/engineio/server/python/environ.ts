import type { IncomingMessage } from 'node:http';

/** The request as python-engineio's `connect` handlers get it: CGI's names. */
export type Environ = Readonly<Record<string, string>> & { readonly request: IncomingMessage };

export function makeEnviron(request: IncomingMessage): Environ {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  const environ: Record<string, string> = {
    REQUEST_METHOD: request.method ?? '',
    PATH_INFO: mark < 0 ? url : url.slice(0, mark),
    QUERY_STRING: mark < 0 ? '' : url.slice(mark + 1),
    RAW_URI: url,
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    REMOTE_ADDR: request.socket.remoteAddress ?? '',
    REMOTE_PORT: String(request.socket.remotePort ?? ''),
  };
  for (const [name, value] of Object.entries(request.headers)) {
    const key = name.toUpperCase().replaceAll('-', '_');
    const text = Array.isArray(value) ? value.join(', ') : (value ?? '');
    environ[key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH' ? key : `HTTP_${key}`] = text;
  }
  return Object.assign(environ, { request });
}
