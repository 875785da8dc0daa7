import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const ENTRY = fileURLToPath(new URL('./index.ts', import.meta.url));

/** What a page that imports these names has to load, and what of it is not ours. */
async function bundle(names: string): Promise<{ gzipBytes: number; packages: string[] }> {
  const result = await build({
    stdin: { contents: `export { ${names} } from ${JSON.stringify(ENTRY)};`, resolveDir: '/' },
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const output = Object.values(result.metafile.outputs)[0]!;
  const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const foreign = inputs.map(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  expect(inputs.filter(([path]) => path.includes('.node.'))).toEqual([]);
  return {
    gzipBytes: gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length,
    packages: [...new Set(foreign.filter((name) => name !== undefined))],
  };
}

// The bounds are there to be noticed when they are passed: 16.9 kB and 19.6 kB when they were set.
test.each([
  ['connect', 17_500, []],
  ['connect, msgpackSerializer', 20_200, []],
])(
  'the browser entry needs nothing of Node; { %s } stays below %d bytes',
  async (names, bytesMax, packages) => {
    const built = await bundle(names);
    expect(built.packages).toEqual(packages);
    expect(built.gzipBytes).toBeLessThan(bytesMax);
  },
);
