import { describe, expect, it } from 'vitest';

import { anonymousAuth } from '../../../src/protocols/wamp/server/auth/anonymous.js';
import { SEED, authenticateAda } from '../../wamp-users.js';
import { openEnvironmentIfWanted } from '../environment.js';
import { runPython } from '../python-run.js';
import { serveWamp } from '../../wamp-router.js';

/* Python's autobahn proves to our router who it is. Part of `npm run interop:python` only. */

const python = await openEnvironmentIfWanted();

describe.skipIf(python === undefined)('autobahn for Python', () => {
  const join = async (method: string, secret: string, serializer = 'json'): Promise<string[]> => {
    const { port } = await serveWamp([anonymousAuth(), ...authenticateAda()]);
    const url = `ws://127.0.0.1:${port}`;
    const script = runPython(python!, 'wamp/autobahn_auth.py', url, serializer, method, secret);
    expect(await script.ended).toBe(0);
    return script.lines;
  };

  it('is let in without a name', async () => {
    expect(await join('anonymous', '')).toEqual([expect.stringMatching(/^joined \S+ anonymous anonymous$/)]);
  });

  it.each([
    ['ticket', 's3cret'],
    ['wampcra', 's3cret'],
    ['scram', 's3cret'],
    ['cryptosign', SEED],
  ])('is let in by %s, and kept out with another secret', async (method, secret) => {
    for (const serializer of ['json', 'msgpack', 'cbor']) {
      expect(await join(method, secret, serializer)).toEqual([`joined ada user ${method}`]);
    }
    const wrong = method === 'cryptosign' ? '22'.repeat(32) : 'guess';
    expect(await join(method, wrong)).toEqual(['refused wamp.error.authentication_failed']);
  });
});
