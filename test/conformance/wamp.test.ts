import { cborSerializer } from '../../src/protocols/wamp/messages/cbor.js';
import { jsonSerializer } from '../../src/protocols/wamp/messages/json.js';
import { msgpackSerializer } from '../../src/protocols/wamp/messages/msgpack.js';
import { runSuite } from './wamp.js';
import {
  overEngine,
  overLongPoll,
  overMemory,
  overRawSocket,
  overUnixSocket,
  overWebSocket,
} from './wamp-peer.js';

/* The router over each of its transports and serializers. */

runSuite({ name: 'memory', connect: overMemory });
for (const serializer of [jsonSerializer, msgpackSerializer, cborSerializer]) {
  const { name } = serializer;
  runSuite({ name: `WebSocket, ${name}`, connect: overWebSocket(serializer) });
  runSuite({ name: `WebSocket, ${name} batched`, connect: overWebSocket(serializer, true) });
  runSuite({ name: `RawSocket, ${name}`, connect: overRawSocket(serializer) });
}
runSuite({ name: 'RawSocket on a Unix socket', connect: overUnixSocket(msgpackSerializer) });
runSuite({ name: 'long-poll, json', connect: overLongPoll(jsonSerializer) });
runSuite({ name: 'long-poll, json batched', connect: overLongPoll(jsonSerializer, true) });
runSuite({ name: 'long-poll, msgpack batched', connect: overLongPoll(msgpackSerializer, true) });
runSuite({ name: 'Engine.IO, polling, json', connect: overEngine(jsonSerializer, ['polling']) });
runSuite({ name: 'Engine.IO, websocket, msgpack', connect: overEngine(msgpackSerializer, ['websocket']) });
