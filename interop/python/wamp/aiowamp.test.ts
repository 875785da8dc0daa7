import { describe, expect, it } from 'vitest';

import { anonymousAuth } from '../../../src/protocols/wamp/server/auth/anonymous.js';
import { authenticateAda } from '../../wamp-users.js';
import { openEnvironmentIfWanted } from '../environment.js';
import { runPython } from '../python-run.js';
import { joinOurPeer } from './our-peer.js';
import { checkTheirs } from './their-procedures.js';
import { serveWamp } from '../../wamp-router.js';

/* Python's aiowamp 0.1.1 with our router, beside our client: what works in it. Part of `npm run interop:python` only. */

const python = await openEnvironmentIfWanted();

describe.skipIf(python === undefined)('aiowamp over RawSocket, JSON', () => {
  it.each([
    ['anonymous', ''],
    ['by ticket', 's3cret'],
  ])('%s: calls, errors, progress, patterns, events, both ways', async (_, ticket) => {
    const place = await serveWamp([anonymousAuth(), ...authenticateAda()]);
    const { client } = await joinOurPeer(place);
    const script = runPython(python!, 'wamp/aiowamp_peer.py', `tcp://127.0.0.1:${place.port}`, ticket);
    await script.line('ready');
    await checkTheirs(client);
    await client.call('com.theirs.leave');
    expect(JSON.parse(await script.line('seen'))).toEqual({
      authid: ticket !== '',
      echo: [true, { k: 'v' }],
      errors: [
        ['com.error.ours', [1], { k: 2 }],
        ['wamp.error.no_such_procedure', [], {}],
      ],
      progress: [[1, 2], 3],
      timeout: 'wamp.error.timeout',
      octets: 1,
      events: [
        ['exact', 'com.news.today'],
        ['prefix', 'com.news.d'],
        ['prefix', 'com.news.today'],
        ['wildcard', 'com.news.today'],
      ],
      arguments: [[1], { k: 2 }],
    });
    expect(await script.ended).toBe(0);
  });

  it('is kept out with another ticket', async () => {
    const { port } = await serveWamp(authenticateAda());
    const script = runPython(python!, 'wamp/aiowamp_peer.py', `tcp://127.0.0.1:${port}`, 'guess');
    await expect(script.line('ready')).rejects.toThrow('wamp.error.authentication_failed');
  });
});
