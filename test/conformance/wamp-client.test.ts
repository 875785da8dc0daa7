import {
  cborSerializer,
  jsonSerializer,
  memoryTransport,
  msgpackSerializer,
  openLongPoll,
} from '../../src/protocols/wamp/client/index.node.js';
import type { OpenTransport } from '../../src/protocols/wamp/client/index.node.js';
import type { WampRouter } from '../../src/protocols/wamp/server/router.js';
import { connectMemory } from '../../src/protocols/wamp/server/transport/memory.js';
import { SERIALIZERS } from '../../src/protocols/wamp/server/mount.js';
import { runWampClientSuite } from './wamp-client.js';

/** No socket between client and router, but all that a serializer does to values. */
function overMemory(router: WampRouter): OpenTransport {
  return memoryTransport(({ name }, peer) => {
    const serializer = SERIALIZERS.find((each) => each.name === name)!;
    const transport = connectMemory(router, {
      onMessage: (message) => peer.send(serializer.encode(message)),
      onClose: () => peer.close(),
    });
    return {
      onFrame: (frame) => transport.send(serializer.decode(frame)),
      onClose: () => transport.close(),
    };
  });
}

runWampClientSuite({
  name: 'memory',
  way: ({ router }) => ({ url: 'memory:router', options: { openTransport: overMemory(router) } }),
});

for (const serializer of [jsonSerializer, msgpackSerializer, cborSerializer]) {
  runWampClientSuite({
    name: `WebSocket, ${serializer.name}`,
    way: ({ port }) => ({ url: `ws://127.0.0.1:${port}/wamp`, options: { serializers: [serializer] } }),
  });
}

for (const serializer of [jsonSerializer, msgpackSerializer]) {
  runWampClientSuite({
    name: `RawSocket, ${serializer.name}`,
    way: ({ port }) => ({ url: `tcp://127.0.0.1:${port}`, options: { serializers: [serializer] } }),
  });
}

for (const serializer of [jsonSerializer, cborSerializer]) {
  runWampClientSuite({
    name: `long-poll, ${serializer.name}`,
    way: ({ port }) => ({
      url: `http://127.0.0.1:${port}/wamp/lp`,
      options: { openTransport: openLongPoll, serializers: [serializer] },
    }),
  });
}
