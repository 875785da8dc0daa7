/* `chorale/wamp` under Node. */

import { TransportError } from '../protocols/wamp/client/errors.js';
import { EventBuffer } from '../protocols/wamp/client/transport/event-buffer.js';
import { platform } from '../protocols/wamp/client/transport/registry.js';
import { findSubprotocol, subprotocolOf } from '../protocols/wamp/messages/serializer.js';

const parts = { EventBuffer, TransportError, findSubprotocol, subprotocolOf };

platform.overEngine = (transports) => async (request) => {
  const [{ wampOverEngine }, { Client }] = await Promise.all([
    import('./wamp-engine.js'),
    import('../protocols/engineio/client/index.node.js'),
  ]);
  return await wampOverEngine(Client, parts, transports)(request);
};

export * from '../protocols/wamp/client/index.node.js';
