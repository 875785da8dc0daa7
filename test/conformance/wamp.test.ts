import { cborSerializer } from '../../src/protocols/wamp/messages/cbor.js';
import { jsonSerializer } from '../../src/protocols/wamp/messages/json.js';
import { msgpackSerializer } from '../../src/protocols/wamp/messages/msgpack.js';
import { runSuite } from './wamp.js';
import { overMemory, overWebSocket } from './wamp-peer.js';

/* The router over each of its transports and serializers. */

runSuite({ name: 'memory', connect: overMemory });
for (const serializer of [jsonSerializer, msgpackSerializer, cborSerializer]) {
  runSuite({ name: `WebSocket, ${serializer.name}`, connect: overWebSocket(serializer) });
  runSuite({ name: `WebSocket, ${serializer.name} batched`, connect: overWebSocket(serializer, true) });
}
