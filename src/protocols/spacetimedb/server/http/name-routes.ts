import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpResponse } from '../../../../net/http/http-message.js';
import { isDatabaseName } from '../catalog.js';
import { findDatabase, NAME_RULE } from '../find-database.js';
import { jsonAnswer } from './answers.js';
import { authenticated, ofDatabase } from './authentication.js';
import type { AuthenticatedRequest, DatabaseRequest } from './authentication.js';
import type { HttpContext } from './context.js';
import { readText } from './read-text.js';
import type { AddRoute } from './routes.js';

// Ours: a list for people to choose from, not an index.
const NAMES_MAX = 100;
const BODY_BYTES_MAX = 64 * 1024;

/** Routes that read and change what a database is called. */
export function addNameRoutes(add: AddRoute, context: HttpContext): void {
  add(
    'GET',
    '/v1/database/:name/names',
    ofDatabase(context, ({ database }) => jsonAnswer(200, { names: database.names })),
  );
  add(
    'POST',
    '/v1/database/:name/names',
    ofDatabase(context, (caller) => addName(context, caller)),
  );
  add(
    'PUT',
    '/v1/database/:name/names',
    authenticated(context, (caller) => replaceNames(context, caller)),
  );
}

async function addName({ catalog }: HttpContext, caller: DatabaseRequest): Promise<HttpResponse> {
  const { request, credentials, database } = caller;
  const domain = (await readText(request, BODY_BYTES_MAX)).trim();
  checkName(domain);
  const denied = jsonAnswer(401, { PermissionDenied: { domain } });
  if (!credentials.identity.isEqual(database.owner)) return denied;
  const holder = catalog.findByName(domain);
  if (holder !== undefined && !holder.owner.isEqual(credentials.identity)) return denied;
  if (!database.names.includes(domain)) {
    checkCount(database.names.length + 1);
    const result = await catalog.setNames(database, [...database.names, domain]);
    if (result.kind === 'taken') return jsonAnswer(500, { OtherError: `the name \`${domain}\` is in use` });
  }
  return jsonAnswer(200, { Success: { domain, database_identity: database.identity.toHexString() } });
}

async function replaceNames({ catalog }: HttpContext, caller: AuthenticatedRequest): Promise<HttpResponse> {
  const { request, credentials } = caller;
  const found = findDatabase(catalog, request.params['name'] ?? '');
  if (found.kind !== 'found') return jsonAnswer(404, 'DatabaseNotFound');
  const { database } = found;
  const names = readNames(await readText(request, BODY_BYTES_MAX));
  if (!credentials.identity.isEqual(database.owner)) {
    return jsonAnswer(401, { NotYourDatabase: { database: database.identity.toHexString() } });
  }
  const domains = names.filter((name) => {
    const holder = catalog.findByName(name);
    return holder !== undefined && !holder.owner.isEqual(credentials.identity);
  });
  if (domains.length === 1) return jsonAnswer(401, { PermissionDenied: { domain: domains[0] } });
  if (domains.length > 1) return jsonAnswer(401, { PermissionDeniedOnAny: { domains } });
  const result = await catalog.setNames(database, names);
  if (result.kind === 'taken')
    return jsonAnswer(400, { OtherError: `the name \`${result.name}\` is in use` });
  return jsonAnswer(200, 'Success');
}

function readNames(json: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new HttpError(400, 'the body is a JSON array of names');
  }
  if (!Array.isArray(value)) throw new HttpError(400, 'the body is a JSON array of names');
  checkCount(value.length);
  const names = value.map((name: unknown) => {
    if (typeof name !== 'string') throw new HttpError(400, 'the body is a JSON array of names');
    checkName(name);
    return name;
  });
  return [...new Set(names)];
}

function checkName(name: string): void {
  if (isDatabaseName(name)) return;
  throw new HttpError(400, `\`${name.slice(0, 80)}\` is not a database name: ${NAME_RULE}`);
}

function checkCount(count: number): void {
  if (count > NAMES_MAX)
    throw new HttpError(400, `a database may have ${NAMES_MAX} names, these are ${count}`);
}
