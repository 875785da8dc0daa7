import type { Listener } from '../../src/net/listener.js';
import { Engine, type EngineApplication } from '../../src/protocols/engineio/server/engine.js';
import type { EngineOptions } from '../../src/protocols/engineio/server/options.js';

/** Serves Engine.IO on a port of ours, for tests that want an engine to themselves; applications have `createServer`. */
export function mountEngine(
  listener: Listener,
  options: EngineOptions,
  application: EngineApplication,
  onError: (error: unknown, where: string) => void,
): Engine {
  const engine = new Engine(options, { wheel: listener.wheel, turns: listener.turns, onError }, application);
  const { path } = engine.settings;
  listener.addRawRoute(path, (message, out) => engine.handleRequest(message, out));
  // Clients may leave the last slash out.
  if (path !== '/') {
    const bare = path.slice(0, -1);
    listener.addRawRoute(`${bare}?`, (message, out) => engine.handleRequest(message, out));
    listener.addUpgradeRoute({ ...engine.upgradeRoute, pattern: bare });
  }
  listener.addUpgradeRoute(engine.upgradeRoute);
  return engine;
}
