import type { ChildRequest, ChildResponse, ProcessSample } from './messages.js';

type Handler = (argument: never) => unknown;

/**
 * The inside of a benchmark process: answers the parent's calls, and `sample` and `collect` by itself.
 *
 *     answerParent({ async start(config: { port: number }) { ... return { port }; } });
 */
export function answerParent(handlers: Readonly<Record<string, Handler>>): void {
  const builtIn: Record<string, Handler> = { sample, collect };
  process.on('message', (request: ChildRequest) => {
    const handler = handlers[request.call] ?? builtIn[request.call];
    void answer(request, handler);
  });
  process.on('disconnect', () => process.exit(0));
}

async function answer(request: ChildRequest, handler: Handler | undefined): Promise<void> {
  let response: ChildResponse;
  try {
    if (handler === undefined) throw new Error(`no handler "${request.call}"`);
    response = { id: request.id, result: await handler(request.argument as never) };
  } catch (error) {
    response = {
      id: request.id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
  process.send?.(response);
}

function sample(): ProcessSample {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuMicros: user + system, rssBytes: rss, heapBytes: heapUsed + external };
}

// V8 gives pages back to the system beside the program, some time after it has found them free.
const COLLECT_WAIT_MS = 300;

/** Collects garbage (needs --expose-gc), so that two samples compare what is kept. */
async function collect(): Promise<ProcessSample> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, COLLECT_WAIT_MS));
  }
  return sample();
}
