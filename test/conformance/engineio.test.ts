import { Listener } from '../../src/net/listener.js';
import { mountEngine } from '../../src/protocols/engineio/server/mount.js';
import { runEngineSuite } from './engineio.js';

runEngineSuite({
  name: 'the Engine.IO server of ours',
  async start() {
    const failures: unknown[] = [];
    const onError = (error: unknown): void => void failures.push(error);
    const listener = await Listener.listen({ onError });
    const options = { pingIntervalMs: 300, pingTimeoutMs: 200, allowEio3: true };
    const engine = mountEngine(
      listener,
      options,
      { open: (session) => ({ onMessage: (data) => session.send(data), onClose() {} }) },
      onError,
    );
    return {
      url: listener.url,
      async close() {
        engine.close();
        await listener.close({ drainMs: 0 });
        if (failures.length > 0) throw failures[0] as Error;
      },
    };
  },
});
