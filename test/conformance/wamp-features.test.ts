import { cborSerializer } from '../../src/protocols/wamp/messages/cbor.js';
import { jsonSerializer } from '../../src/protocols/wamp/messages/json.js';
import { msgpackSerializer } from '../../src/protocols/wamp/messages/msgpack.js';
import { runFeatureSuite } from './wamp-features.js';
import { overEngine, overLongPoll, overMemory, overRawSocket, overWebSocket } from './wamp-peer.js';

/* Every feature over every transport, and every serializer on one of them. */

runFeatureSuite({ name: 'memory', connect: overMemory });
runFeatureSuite({ name: 'WebSocket, json', connect: overWebSocket(jsonSerializer) });
runFeatureSuite({ name: 'WebSocket, msgpack', connect: overWebSocket(msgpackSerializer) });
runFeatureSuite({ name: 'WebSocket, cbor', connect: overWebSocket(cborSerializer) });
runFeatureSuite({ name: 'RawSocket, msgpack', connect: overRawSocket(msgpackSerializer) });
runFeatureSuite({ name: 'long-poll, json batched', connect: overLongPoll(jsonSerializer, true) });
runFeatureSuite({ name: 'Engine.IO, polling, json', connect: overEngine(jsonSerializer, ['polling']) });
runFeatureSuite({
  name: 'Engine.IO, websocket, msgpack',
  connect: overEngine(msgpackSerializer, ['websocket']),
});
