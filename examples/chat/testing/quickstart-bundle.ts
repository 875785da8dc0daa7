import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { CHAT_FOLDER } from './chat-server.js';

const source = (path: string): string => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** The quickstart as one file, of the package's sources and not of its last build. */
export async function bundleQuickstart(folder: string): Promise<string> {
  const outfile = join(folder, 'quickstart.cjs');
  await build({
    entryPoints: [join(CHAT_FOLDER, 'quickstart', 'main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    alias: {
      'chorale/client': source('protocols/spacetimedb/client/index.node.ts'),
      'chorale/local-config': source('local-config/index.ts'),
    },
    logLevel: 'warning',
  });
  return outfile;
}
