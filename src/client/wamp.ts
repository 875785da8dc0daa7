/* `chorale/wamp`. */

import { TransportError } from '../protocols/wamp/client/errors.js';
import { platform } from '../protocols/wamp/client/transport/registry.js';

platform.overEngine = async (transports, request) => {
  const [{ wampOverEngine }, { Client }] = await Promise.all([
    import('./wamp-engine.js'),
    import('../protocols/engineio/client/client.js'),
  ]);
  return await wampOverEngine(Client, TransportError, transports, request);
};

export * from '../protocols/wamp/client/index.js';
