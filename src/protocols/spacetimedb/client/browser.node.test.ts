import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

test('the browser entry needs nothing of Node, and stays small', async () => {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const inputs = Object.keys(result.metafile.inputs);
  expect(inputs.filter((path) => path.includes('node_modules') || path.includes('.node.'))).toEqual([]);
  // 100 KiB before compression: some 30 on the wire. It is there to be noticed when it is passed.
  expect(result.outputFiles[0]!.contents.length).toBeLessThan(100 * 1024);
});
