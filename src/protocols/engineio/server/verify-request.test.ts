import type { IncomingMessage } from 'node:http';

import { expect, it } from 'vitest';

import { resolveOptions } from './options.js';
import { readQuery } from './request-query.js';
import { verifyRequest } from './verify-request.js';

it('an Origin that cannot be echoed is refused, and forgotten before anybody does', () => {
  // Node's parser refuses most of them by itself, unless it was told to be lenient.
  const message = { method: 'GET', headers: { origin: 'http://a\u0001b' } } as IncomingMessage;
  const directory = { settings: resolveOptions({ cors: { origin: true } }), sessions: new Map() };
  const verdict = verifyRequest(message, readQuery('/?EIO=4&transport=polling'), directory, false);
  expect(verdict).toMatchObject({ kind: 'refuse', code: 3, context: { name: 'INVALID_ORIGIN' } });
  expect(message.headers.origin).toBeUndefined();
});
