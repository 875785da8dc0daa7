import { jsonSerializer, msgpackSerializer } from 'chorale/wamp';
import type { EngineTransports, Serializer } from 'chorale/wamp';
import { runWampClientSuite } from './wamp-client.js';

/* Our WAMP client inside an Engine.IO session, as `transports` asks for it. */

const ways: readonly (readonly [EngineTransports, Serializer])[] = [
  [['websocket', 'polling'], msgpackSerializer],
  [['polling', 'websocket'], jsonSerializer],
  [['polling'], msgpackSerializer],
];

for (const [transports, serializer] of ways) {
  runWampClientSuite({
    name: `Engine.IO (${transports.join(', ')}), ${serializer.name}`,
    way: ({ port }) => ({
      url: `http://127.0.0.1:${port}/wamp`,
      options: { transports, serializers: [serializer] },
    }),
  });
}
