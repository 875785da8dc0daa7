import { assertNever } from '../../../../base/assert.js';
import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpRequest, HttpResponse } from '../../../../net/http/http-message.js';
import type { Caller, ReducerOutcome } from '../../../../module/module-def.js';
import { emptyAnswer, textAnswer } from './answers.js';
import { ofDatabase } from './authentication.js';
import type { DatabaseRequest } from './authentication.js';
import { confirmed } from './confirm.js';
import type { HttpContext } from './context.js';
import { readText } from './read-text.js';
import type { AddRoute } from './routes.js';
import { ConnectionId } from '../../../../values/identity.js';

export function addCallRoutes(add: AddRoute, context: HttpContext): void {
  add(
    'POST',
    '/v1/database/:name/call/:function',
    ofDatabase(
      context,
      confirmed((caller) => callFunction(context, caller)),
    ),
  );
}

async function callFunction(context: HttpContext, caller: DatabaseRequest): Promise<HttpResponse> {
  const { request, database } = caller;
  checkContentType(request);
  const args = await readText(request);
  const name = request.params['function'] ?? '';
  const startMs = context.clock.monotonicMs();
  const call = (who: Caller): ReducerOutcome => database.host.callReducerJson(name, who, args);
  // Who calls what is not there is no connection: nothing would happen between his coming and going.
  const outcome = isCallable(caller, name)
    ? asConnection(context, caller, call)
    : call(makeCaller(context, caller));
  const micros = Math.round((context.clock.monotonicMs() - startMs) * 1000);
  const headers = {
    'spacetime-energy-used': '0',
    'spacetime-execution-duration-micros': String(micros),
  };
  return outcome.kind === 'committed' ? emptyAnswer(200, headers) : answerFailure(outcome, headers);
}

function isCallable({ database }: DatabaseRequest, name: string): boolean {
  return database.host.def.reducers.some(
    (reducer) => reducer.name === name && reducer.lifecycle === undefined,
  );
}

function checkContentType({ headers }: HttpRequest): void {
  const type = headers['content-type'];
  if (type === undefined)
    throw new HttpError(400, 'the content-type is missing: application/json is expected');
  if (type.split(';', 1)[0]!.trim().toLowerCase() !== 'application/json') {
    throw new HttpError(415, 'the content-type is application/json');
  }
}

/** Runs `work` as a connection of its own: `clientConnected` before, `clientDisconnected` after. */
export function asConnection<T>(context: HttpContext, caller: DatabaseRequest, work: (who: Caller) => T): T {
  const { database } = caller;
  const who = makeCaller(context, caller);
  const connected = database.host.clientConnected(who);
  if (connected.kind !== 'committed') throw new HttpError(403, connected.message);
  try {
    return work(who);
  } finally {
    database.host.clientDisconnected(who);
  }
}

function makeCaller({ random }: HttpContext, { credentials }: DatabaseRequest): Caller {
  const { identity, payload: tokenPayload } = credentials;
  return { identity, connectionId: ConnectionId.random(random), tokenPayload };
}

/** 530: the protocol's own status for a reducer that did not commit. */
function answerFailure(
  outcome: Exclude<ReducerOutcome, { kind: 'committed' }>,
  headers: Readonly<Record<string, string>>,
): HttpResponse {
  switch (outcome.kind) {
    case 'crashed':
      return textAnswer(outcome.isLogLost === true ? 503 : 530, outcome.message, headers);
    case 'refused':
      return textAnswer(530, outcome.message, headers);
    case 'badArguments':
      return textAnswer(400, outcome.message, headers);
    case 'unknown':
      return textAnswer(404, outcome.message, headers);
    default:
      return assertNever(outcome);
  }
}
