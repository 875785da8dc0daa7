import { assertNever } from '../../../../base/assert.js';
import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpRequest, HttpResponse } from '../../../../net/http/http-message.js';
import type { ReducerDef, ReducerOutcome } from '../../../../module/module-def.js';
import { randomConnectionId } from '../websocket.js';
import { emptyAnswer, textAnswer } from './answers.js';
import { ofDatabase } from './authentication.js';
import type { DatabaseRequest } from './authentication.js';
import { confirm } from './confirm.js';
import type { HttpContext } from './context.js';
import type { AddRoute } from './routes.js';

/** What the protocol calls the lifecycle in messages. */
const LIFECYCLE_NAMES = {
  init: 'Init',
  clientConnected: 'OnConnect',
  clientDisconnected: 'OnDisconnect',
} as const;

export function addCallRoutes(add: AddRoute, context: HttpContext): void {
  add(
    'POST',
    '/v1/database/:name/call/:function',
    ofDatabase(context, (caller) => callFunction(context, caller)),
  );
}

async function callFunction(context: HttpContext, caller: DatabaseRequest): Promise<HttpResponse> {
  const { request, database } = caller;
  checkContentType(request);
  const args = Buffer.from(await request.readBody()).toString('utf8');
  const name = request.params['function'] ?? '';
  const reducer = findReducer(caller, name);
  if (reducer.lifecycle !== undefined) {
    const special = LIFECYCLE_NAMES[reducer.lifecycle];
    throw new HttpError(400, `can't directly call special ${special} lifecycle reducer`);
  }
  const startMs = context.clock.monotonicMs();
  const outcome = asConnection(context, caller, (who) => database.host.callReducerJson(name, who, args));
  const micros = Math.round((context.clock.monotonicMs() - startMs) * 1000);
  const headers = {
    'spacetime-energy-used': '0',
    'spacetime-execution-duration-micros': String(micros),
  };
  if (outcome.kind !== 'committed') return answerFailure(name, outcome, headers);
  await confirm(database.log, outcome.commit.offset);
  return emptyAnswer(200, headers);
}

function findReducer({ database, credentials }: DatabaseRequest, name: string): ReducerDef {
  const reducer = database.host.def.reducers.find((candidate) => candidate.name === name);
  const isOwner = credentials.identity.isEqual(database.owner);
  if (reducer !== undefined && (!reducer.isPrivate || isOwner || reducer.lifecycle !== undefined))
    return reducer;
  throw new HttpError(404, `no such reducer or procedure: \`${name.slice(0, 200)}\``);
}

function checkContentType({ headers }: HttpRequest): void {
  const type = headers['content-type'];
  if (type === undefined)
    throw new HttpError(400, 'the content-type is missing: application/json is expected');
  if (type.split(';', 1)[0]!.trim().toLowerCase() !== 'application/json') {
    throw new HttpError(415, 'the content-type is application/json');
  }
}

type Who = Parameters<DatabaseRequest['database']['host']['callReducerJson']>[1];

/** Runs `work` as a connection of its own: `clientConnected` before, `clientDisconnected` after. */
export function asConnection<T>(context: HttpContext, caller: DatabaseRequest, work: (who: Who) => T): T {
  const { database, credentials } = caller;
  const who: Who = {
    identity: credentials.identity,
    connectionId: randomConnectionId(context.random),
    tokenPayload: credentials.payload,
  };
  const connected = database.host.clientConnected(who);
  if (connected.kind !== 'committed') throw new HttpError(403, connected.message);
  try {
    return work(who);
  } finally {
    database.host.clientDisconnected(who);
  }
}

/** 530: the protocol's own status for a reducer that did not commit. */
function answerFailure(
  name: string,
  outcome: Exclude<ReducerOutcome, { kind: 'committed' }>,
  headers: Readonly<Record<string, string>>,
): HttpResponse {
  switch (outcome.kind) {
    case 'refused':
    case 'crashed':
      return textAnswer(530, outcome.message, headers);
    case 'badArguments':
      return textAnswer(400, `invalid arguments for reducer ${name}: ${outcome.message}`, headers);
    case 'unknown':
      return textAnswer(404, outcome.message, headers);
    default:
      return assertNever(outcome);
  }
}
