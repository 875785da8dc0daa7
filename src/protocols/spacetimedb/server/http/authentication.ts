import { LogError } from '../../../../engine/log/log-error.js';
import { AuthError } from '../../../../identity/auth-error.js';
import { parseAuthorization } from '../../../../identity/authorization.js';
import type { Credentials } from '../../../../identity/tokens.js';
import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../../../net/http/http-message.js';
import { findDatabase } from '../find-database.js';
import type { DatabaseRuntime } from '../runtime.js';
import { textAnswer } from './answers.js';
import type { HttpContext } from './context.js';

/** A request of somebody; who came without a token has just been given an identity. */
export interface AuthenticatedRequest {
  readonly request: HttpRequest;
  readonly credentials: Credentials;
  readonly isAnonymous: boolean;
}

export interface DatabaseRequest extends AuthenticatedRequest {
  readonly database: DatabaseRuntime;
}

/** Who asks, or undefined without a token. Throws HttpError for tokens that are refused. */
export async function identifyCaller(
  context: HttpContext,
  request: HttpRequest,
): Promise<Credentials | undefined> {
  try {
    const token = parseAuthorization(request.headers, request.query);
    return token === undefined ? undefined : await context.authority.verify(token);
  } catch (error) {
    if (error instanceof AuthError) throw new HttpError(error.httpStatus, error.message);
    throw error;
  }
}

/** Who asks; 401 without a token. */
export async function requireCaller(context: HttpContext, request: HttpRequest): Promise<Credentials> {
  const credentials = await identifyCaller(context, request);
  if (credentials === undefined) throw new HttpError(401, AuthError.required().message);
  return credentials;
}

/** A route whose answers tell the caller his identity and token, new ones if he had none. */
export function authenticated(
  context: HttpContext,
  handle: (request: AuthenticatedRequest) => HttpResponse | Promise<HttpResponse>,
): HttpHandler {
  return async (request) => {
    const known = await identifyCaller(context, request);
    const credentials = known ?? (await context.authority.mintAnonymous());
    const response = await answerErrors(() =>
      handle({ request, credentials, isAnonymous: known === undefined }),
    );
    const identity = {
      'spacetime-identity': credentials.identity.toHexString(),
      'spacetime-identity-token': credentials.token,
    };
    return { ...response, headers: { ...response.headers, ...identity } };
  };
}

/** A route of one database, named in the path. */
export function ofDatabase(
  context: HttpContext,
  handle: (request: DatabaseRequest) => HttpResponse | Promise<HttpResponse>,
): HttpHandler {
  return authenticated(context, (caller) => {
    const found = findDatabase(context.catalog, caller.request.params['name'] ?? '');
    if (found.kind !== 'found') throw new HttpError(found.status, found.message);
    return handle({ ...caller, database: found.database });
  });
}

/** A route of one database for its owner; 403 for others. */
export function ofOwner(
  context: HttpContext,
  action: string,
  handle: (request: DatabaseRequest) => HttpResponse | Promise<HttpResponse>,
): HttpHandler {
  return ofDatabase(context, (caller) => {
    requireOwner(caller, caller.database, action);
    return handle(caller);
  });
}

export function requireOwner(caller: AuthenticatedRequest, database: DatabaseRuntime, action: string): void {
  const { identity } = caller.credentials;
  if (identity.isEqual(database.owner)) return;
  const who = `\`${identity.toHexString()}\` is not authorized to perform action on database`;
  throw new HttpError(403, `${who} \`${database.identity.toHexString()}\`: ${action}`);
}

async function answerErrors(handle: () => HttpResponse | Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof HttpError) return textAnswer(error.status, error.message, error.headers);
    // The disk is lost, or does not keep up: no defect of ours.
    if (error instanceof LogError) return textAnswer(503, error.message);
    throw error;
  }
}
