import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Generated bindings and modules import the package by its name: tests take its sources, not the last build.
  resolve: {
    alias: [
      { find: /^chorale$/, replacement: source('./src/server/index.ts') },
      { find: 'chorale/client', replacement: source('./src/client/database.node.ts') },
      { find: 'chorale/local-config', replacement: source('./src/local-config/index.ts') },
      { find: 'chorale/wamp', replacement: source('./src/client/wamp.node.ts') },
      { find: 'chorale/react', replacement: source('./src/protocols/spacetimedb/react/index.ts') },
      { find: 'chorale/server', replacement: source('./src/module/index.ts') },
    ],
  },
  test: {
    include: [
      'src/**/*.test.ts',
      'test/**/*.test.ts',
      'interop/**/*.test.ts',
      'examples/**/*.test.ts',
      'bench/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    typecheck: { enabled: false },
    // By default one processor is left idle, which is half of a machine of two.
    maxWorkers: '100%',
    testTimeout: 30_000,
    // A condition that is waited for may take its time on a busy machine.
    expect: { poll: { timeout: 10_000 } },
  },
});
