import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Metafile } from 'esbuild';
import { expect, test } from 'vitest';

const ENTRY = fileURLToPath(new URL('./wamp.ts', import.meta.url));

interface Bundle {
  /** Gzipped bytes of what is loaded at once: the entry, and all that it imports other than by `import()`. */
  readonly pageBytes: number;
  /** Gzipped bytes of the rest, by the module that asks for it. */
  readonly lazyBytes: Readonly<Record<string, number>>;
  /** All that went into what is loaded at once. */
  readonly inputs: readonly string[];
}

/** What a page that imports these names has to load, if its bundler splits the code, as all do when they are asked. */
async function bundle(names: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export { ${names} } from ${JSON.stringify(ENTRY)};`,
      resolveDir: '/',
      sourcefile: 'page',
    },
    bundle: true,
    splitting: true,
    minify: true,
    outdir: '/out',
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const outputs = Object.entries(metafile.outputs);
  const sizes = outputs.map((_, i) => gzipSync(outputFiles[i]!.contents, { level: 9 }).length);
  const page = loadedWith(outputs.find(([, { entryPoint }]) => entryPoint?.endsWith('page'))![0], metafile);
  const lazy = outputs.flatMap(([path, { entryPoint = '' }], i) =>
    page.has(path) ? [] : [[/[^/]+$/.exec(entryPoint)?.[0] ?? 'shared', sizes[i]!] as const],
  );
  return {
    pageBytes: outputs.reduce((sum, [path], i) => (page.has(path) ? sum + sizes[i]! : sum), 0),
    lazyBytes: Object.fromEntries(lazy),
    inputs: outputs.flatMap(([output, { inputs }]) =>
      page.has(output)
        ? Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []))
        : [],
    ),
  };
}

function loadedWith(path: string, metafile: Metafile, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const { kind, path: other } of metafile.outputs[path]!.imports) {
    if (kind === 'import-statement') loadedWith(other, metafile, found);
  }
  return found;
}

// The bounds are there to be noticed when they are passed.
test.each([
  ['connect', 10_600],
  ['connect, msgpackSerializer', 12_000],
])('a page that imports { %s } loads less than %d bytes, and nothing of Node', async (names, bytesMax) => {
  const { pageBytes, lazyBytes, inputs } = await bundle(names);
  expect(inputs.filter((path) => path.includes('.node.') || path.includes('node_modules'))).toEqual([]);
  expect(pageBytes).toBeLessThan(bytesMax);
  // What answers calls, with the first registration; Engine.IO, with `transports`; the history, after a gap; what proves who we are,
  // with a list of methods, and when the router asks.
  expect(lazyBytes['invocations.ts']).toBeLessThan(2_200);
  expect(lazyBytes['wamp-engine.web.ts']!).toBeLessThan(8_100);
  expect(lazyBytes['proofs.ts']).toBeLessThan(670);
  expect(lazyBytes['past-events.ts']).toBeLessThan(450);
  expect(lazyBytes['wampcra-proof.ts']).toBeLessThan(400);
  expect(lazyBytes['scram-proof.ts']).toBeLessThan(900);
});

test.each([
  ['crAuth', 300],
  ['scramAuth', 800],
  ['cryptosignAuth', 1_300],
])('%s adds less than %d bytes to a page, and no package', async (name, bytesMax) => {
  const [without, withIt] = [await bundle('connect'), await bundle(`connect, ${name}`)];
  expect(withIt.inputs.filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(withIt.pageBytes - without.pageBytes).toBeLessThan(bytesMax);
});

test.each([
  ['chorale/wamp', 'wamp', ['registry.ts', 'rawsocket.node.ts', 'node-websocket.node.ts', 'wamp.node.ts']],
  ['chorale/client', 'database', ['platform.ts', 'node-websocket.node.ts', 'database.node.ts']],
])('programs that are bundled keep what the Node entry of %s puts in place', async (_, entry, kept) => {
  const { metafile } = await build({
    stdin: {
      contents: `import ${JSON.stringify(fileURLToPath(new URL(`./${entry}.node.ts`, import.meta.url)))};`,
      resolveDir: '/',
    },
    bundle: true,
    platform: 'node',
    packages: 'external',
    format: 'esm',
    outfile: '/out.js',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const inputs = Object.entries(Object.values(metafile.outputs)[0]!.inputs).flatMap(
    ([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path.replace(/.*\//, '')] : []),
  );
  expect(inputs).toEqual(expect.arrayContaining(kept));
});
