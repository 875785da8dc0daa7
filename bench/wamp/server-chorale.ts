import { Listener } from '../../src/net/listener.js';
import { mountWamp } from '../../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../../src/protocols/wamp/server/router.js';
import { answerParent } from '../framework/child.js';

answerParent({
  async start() {
    const listener = await Listener.listen();
    mountWamp(listener, new WampRouter({ realms: { realm1: {} } }));
    return { port: listener.port, path: '/ws' };
  },
});
