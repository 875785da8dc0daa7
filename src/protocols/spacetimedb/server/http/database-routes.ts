import type { HttpResponse } from '../../../../net/http/http-message.js';
import type { Identity } from '../../../../values/identity.js';
import { findDatabase } from '../find-database.js';
import type { DatabaseRuntime } from '../runtime.js';
import { emptyAnswer, jsonAnswer, textAnswer } from './answers.js';
import { authenticated, ofDatabase, ofOwner, requireOwner } from './authentication.js';
import type { HttpContext } from './context.js';
import type { AddRoute } from './routes.js';

/** Routes about a database as a whole. */
export function addDatabaseRoutes(add: AddRoute, context: HttpContext): void {
  const { catalog, clock } = context;
  add(
    'GET',
    '/v1/database/:name',
    ofDatabase(context, ({ database }) => describeDatabase(database)),
  );
  add(
    'GET',
    '/v1/database/:name/identity',
    ofDatabase(context, ({ database }) => textAnswer(200, database.identity.toHexString())),
  );
  add(
    'GET',
    '/v1/database/:name/unstable/timestamp',
    ofDatabase(context, () => jsonAnswer(200, { __timestamp_micros_since_unix_epoch__: clock.nowMicros() })),
  );
  // Ours: no other server has it.
  add(
    'GET',
    '/v1/database/:name/backup',
    ofOwner(context, 'back up', ({ database }) => {
      const body = database.backup?.();
      if (body === undefined)
        return textAnswer(409, 'the database is in memory only: there is nothing to back up');
      return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body };
    }),
  );
  add(
    'DELETE',
    '/v1/database/:name',
    authenticated(context, async (caller) => {
      const found = findDatabase(catalog, caller.request.params['name'] ?? '');
      // What is not there needs no deleting.
      if (found.kind !== 'found')
        return found.status === 404 ? emptyAnswer() : textAnswer(400, found.message);
      requireOwner(caller, found.database, 'delete database');
      await catalog.delete(found.database);
      return emptyAnswer();
    }),
  );
}

function describeDatabase({ identity, owner, programHash }: DatabaseRuntime): HttpResponse {
  return jsonAnswer(200, {
    database_identity: nested(identity),
    owner_identity: nested(owner),
    host_type: { Js: [] },
    initial_program: `0x${programHash}`,
  });
}

/** SATS-JSON of an identity as the product it is. */
function nested(identity: Identity): object {
  return { __identity__: `0x${identity.toHexString()}` };
}
