import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpResponse } from '../../../../net/http/http-message.js';
import { ofOwner } from './authentication.js';
import type { DatabaseRequest } from './authentication.js';
import type { HttpContext } from './context.js';
import { LogLines } from './log-lines.js';
import type { AddRoute } from './routes.js';

export function addLogRoutes(add: AddRoute, context: HttpContext): void {
  add('GET', '/v1/database/:name/logs', ofOwner(context, 'view logs', readLogs));
}

function readLogs({ request, database }: DatabaseRequest): HttpResponse {
  const count = readCount(request.query.get('num_lines'));
  const follow = request.query.get('follow') ?? 'false';
  if (follow !== 'true' && follow !== 'false') throw new HttpError(400, 'follow is true or false');
  const lines = database.moduleLog.tail(count).map((entry) => `${JSON.stringify(entry)}\n`);
  const headers = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-cache' };
  if (follow === 'false') return { status: 200, headers, body: lines.join('') };
  return { status: 200, headers, body: new LogLines(database.moduleLog, lines.join(''), request.signal) };
}

function readCount(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new HttpError(400, 'num_lines is a whole number');
  return Number(text);
}
