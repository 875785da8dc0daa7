import { describe, expect, it } from 'vitest';

import { openEnvironmentIfWanted } from '../environment.js';
import { runPython } from '../python-run.js';
import { joinOurPeer } from './our-peer.js';
import { checkTheirs } from './their-procedures.js';
import { serveWamp } from '../../wamp-router.js';

/* Python's autobahn (asyncio) with our router, beside our client. Part of `npm run interop:python` only. */

const python = await openEnvironmentIfWanted();

const SERIALIZERS = ['json', 'msgpack', 'cbor'];

describe.skipIf(python === undefined)('autobahn for Python', () => {
  it.each(['ws', 'rs'].flatMap((scheme) => SERIALIZERS.map((serializer) => [scheme, serializer])))(
    'over %s, %s: calls, errors, progress, cancelling, patterns, events, both ways',
    async (scheme, serializer) => {
      const place = await serveWamp();
      const { client, interrupted } = await joinOurPeer(place);
      const script = runPython(
        python!,
        'wamp/autobahn_peer.py',
        `${scheme}://127.0.0.1:${place.port}`,
        serializer!,
      );
      await script.line('ready');

      await checkTheirs(client);
      const waiting = client.call('com.theirs.wait');
      await client.call('com.theirs.echo');
      waiting.cancel('kill');
      // It answers INTERRUPT with what Python's CancelledError is to it.
      await expect(waiting).rejects.toMatchObject({ uri: 'wamp.error.runtime_error' });
      await client.call('com.theirs.leave');
      expect(JSON.parse(await script.line('seen'))).toEqual({
        echo: [true, { k: 'v' }],
        errors: [
          ['com.error.ours', [1], { k: 2 }],
          ['wamp.error.no_such_procedure', [], {}],
        ],
        progress: [[1, 2], 3],
        timeout: 'wamp.error.timeout',
        published: true,
        events: [
          ['prefix', [4], {}, 'com.news.d'],
          ['prefix', [5], {}, 'com.news.e'],
          ['exact', [1], { k: 2 }, 'com.news.today'],
          ['prefix', [1], { k: 2 }, 'com.news.today'],
          ['wildcard', [1], { k: 2 }, 'com.news.today'],
        ],
        retained: [[5, true, true]],
        interrupted: true,
      });
      expect(await script.ended).toBe(0);
      expect(interrupted()).toBe(2);
    },
  );
});
