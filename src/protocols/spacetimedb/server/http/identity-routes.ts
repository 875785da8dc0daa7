import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpRequest } from '../../../../net/http/http-message.js';
import { Identity } from '../../../../values/identity.js';
import { isIdentityText } from '../catalog.js';
import { emptyAnswer, jsonAnswer, textAnswer } from './answers.js';
import { requireCaller } from './authentication.js';
import type { HttpContext } from './context.js';
import type { AddRoute } from './routes.js';

/** Routes about who somebody is. */
export function addIdentityRoutes(add: AddRoute, context: HttpContext): void {
  const { authority, catalog } = context;
  add('POST', '/v1/identity', async () => {
    const { identity, token } = await authority.mintAnonymous();
    return jsonAnswer(200, { identity: identity.toHexString(), token });
  });
  add('GET', '/v1/identity/public-key', () => ({
    status: 200,
    headers: { 'content-type': 'application/pem-certificate-chain' },
    body: authority.publicKeyPem,
  }));
  add('POST', '/v1/identity/websocket-token', async (request) => {
    const credentials = await requireCaller(context, request);
    return jsonAnswer(200, { token: await authority.mintWebSocketToken(credentials) });
  });
  add('GET', '/v1/identity/:identity/verify', async (request) => {
    const asked = readIdentity(request);
    const { identity } = await requireCaller(context, request);
    if (identity.isEqual(asked)) return emptyAnswer(204);
    return textAnswer(400, 'the token is not of this identity');
  });
  add('GET', '/v1/identity/:identity/databases', (request) => {
    const owner = readIdentity(request);
    const owned = [...catalog.databases].filter((database) => database.owner.isEqual(owner));
    return jsonAnswer(200, { identities: owned.map(({ identity }) => identity.toHexString()) });
  });
}

function readIdentity({ params }: HttpRequest): Identity {
  const text = params['identity'] ?? '';
  if (!isIdentityText(text)) throw new HttpError(400, 'an identity has 64 hexadecimal digits');
  return Identity.fromString(text);
}
