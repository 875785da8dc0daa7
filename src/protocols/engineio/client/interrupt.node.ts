/*
 * SIGINT for clients that want it: one listener of the process for all of them, there while one of them is connected. It disconnects
 * them and leaves everybody else's listeners alone; if there is nobody else, the signal does afterwards what it does without us.
 */

const clients = new Set<() => Promise<void>>();
let isInstalled = false;

// As long as people wait after Ctrl-C before they press it again.
const GOODBYE_MS = 1000;

export function onInterrupt(disconnect: () => Promise<void>): () => void {
  clients.add(disconnect);
  if (!isInstalled) process.on('SIGINT', handleInterrupt);
  isInstalled = true;
  return () => {
    clients.delete(disconnect);
    if (clients.size === 0) uninstall();
  };
}

function uninstall(): void {
  process.off('SIGINT', handleInterrupt);
  isInstalled = false;
}

function handleInterrupt(): void {
  const isAlone = process.listenerCount('SIGINT') === 1;
  const goodbyes = [...clients].map((disconnect) => disconnect().catch(() => {}));
  clients.clear();
  uninstall();
  // Others have their own plans for the process.
  if (!isAlone) return;
  const again = (): void => void process.kill(process.pid, 'SIGINT');
  const late = setTimeout(again, GOODBYE_MS);
  void Promise.all(goodbyes).then(() => {
    clearTimeout(late);
    again();
  });
}
