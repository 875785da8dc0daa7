import { AuthError } from '../../../../identity/auth-error.js';
import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpRequest, HttpResponse } from '../../../../net/http/http-message.js';
import { isDatabaseName, isIdentityText } from '../catalog.js';
import type { PublishRequest } from '../catalog.js';
import { findDatabase } from '../find-database.js';
import type { DatabaseRuntime } from '../runtime.js';
import { jsonAnswer } from './answers.js';
import { authenticated, ofOwner, requireOwner } from './authentication.js';
import type { AuthenticatedRequest } from './authentication.js';
import type { HttpContext } from './context.js';
import { readText } from './read-text.js';
import type { AddRoute } from './routes.js';

// 32 MiB: a hundred times the bundles we know (290 KB), and as much as a WebSocket message may have.
const PROGRAM_BYTES_MAX = 32 * 1024 * 1024;

/** Routes that make, replace and empty databases. */
export function addPublishRoutes(add: AddRoute, context: HttpContext): void {
  add(
    'POST',
    '/v1/database',
    authenticated(context, (caller) => publishNew(context, caller, undefined)),
  );
  add(
    'PUT',
    '/v1/database/:name',
    authenticated(context, (caller) => publishTo(context, caller, caller.request.params['name'] ?? '')),
  );
  add(
    'PUT',
    '/v1/database/:name/reset',
    ofOwner(context, 'reset database', async ({ request, credentials, database }) => {
      const body = await readProgram(request);
      const program = body === '' ? undefined : body;
      const { identity: publisher } = credentials;
      return publish(context, { target: database, name: undefined, publisher, program, clear: true });
    }),
  );
}

function publishTo(context: HttpContext, caller: AuthenticatedRequest, name: string): Promise<HttpResponse> {
  const found = findDatabase(context.catalog, name);
  if (found.kind === 'found') return publishOver(context, caller, found.database, name);
  if (isIdentityText(name) || !isDatabaseName(name)) throw new HttpError(found.status, found.message);
  return publishNew(context, caller, name);
}

async function publishOver(
  context: HttpContext,
  caller: AuthenticatedRequest,
  target: DatabaseRuntime,
  name: string,
): Promise<HttpResponse> {
  requireOwner(caller, target, 'update database');
  const query = readQuery(caller.request.query);
  const program = await readProgram(caller.request);
  checkProgram(program, query.hostType);
  const publisher = caller.credentials.identity;
  const request = {
    target,
    name: isIdentityText(name) ? undefined : name,
    publisher,
    program,
    clear: query.clear,
  };
  return publish(context, request);
}

async function publishNew(
  context: HttpContext,
  caller: AuthenticatedRequest,
  name: string | undefined,
): Promise<HttpResponse> {
  const publisher = caller.credentials.identity;
  if (!context.catalog.mayCreate(publisher)) {
    const hint = 'publishing here needs the token of the server’s owner';
    if (caller.isAnonymous) throw new HttpError(401, `${AuthError.required().message}: ${hint}`);
    throw new HttpError(403, `\`${publisher.toHexString()}\` is not authorized to create databases: ${hint}`);
  }
  const query = readQuery(caller.request.query);
  const program = await readProgram(caller.request);
  checkProgram(program, query.hostType);
  return publish(context, { target: undefined, name, publisher, program, clear: query.clear });
}

async function publish({ catalog }: HttpContext, request: PublishRequest): Promise<HttpResponse> {
  const result = await catalog.publish(request);
  switch (result.kind) {
    case 'refused':
      throw new HttpError(400, `Database update rejected: ${result.reason}`);
    case 'failed':
      throw new HttpError(400, `Failed to create or update the database: ${result.reason}`);
    default: {
      const database_identity = result.database.identity.toHexString();
      return jsonAnswer(200, {
        Success: { domain: request.name ?? null, database_identity, op: result.kind },
      });
    }
  }
}

interface PublishQuery {
  readonly clear: boolean;
  readonly hostType: 'Js' | undefined;
}

/** Parameters that are about hosting (num_replicas, org, parent, …) are left alone. */
function readQuery(query: URLSearchParams): PublishQuery {
  const clear = query.get('clear') ?? 'false';
  if (clear !== 'true' && clear !== 'false') throw new HttpError(400, 'clear is true or false');
  const hostType = query.get('host_type');
  if (hostType !== null && hostType !== 'Js' && hostType !== 'Wasm') {
    throw new HttpError(400, 'host_type is Js or Wasm');
  }
  if (hostType === 'Wasm') throw new HttpError(400, JS_ONLY);
  const policy = query.get('policy') ?? 'Compatible';
  if (policy !== 'Compatible' && policy !== 'BreakClients') {
    throw new HttpError(400, 'policy is Compatible or BreakClients');
  }
  return { clear: clear === 'true', hostType: hostType ?? undefined };
}

const JS_ONLY = 'this server runs TypeScript modules: publish a bundle with host_type=Js';

function readProgram(request: HttpRequest): Promise<string> {
  return readText(request, PROGRAM_BYTES_MAX, JS_ONLY);
}

function checkProgram(program: string, hostType: 'Js' | undefined): void {
  // A module for WebAssembly starts with these; who says nothing of the host type means one.
  if (hostType === undefined && program.startsWith('\0asm')) throw new HttpError(400, JS_ONLY);
  if (program.trim() === '') throw new HttpError(400, 'the body is the module, and it is empty');
}
