/* `chorale/wamp`. */

export * from '../protocols/wamp/client/index.js';
import { TransportError } from '../protocols/wamp/client/errors.js';
import { platform } from '../protocols/wamp/client/transport/registry.js';

platform.overEngine = async (transports, request) => {
  const { Client, wampOverEngine } = await import('./wamp-engine.web.js');
  return await wampOverEngine(Client, TransportError, transports, request);
};
