import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Layers by how far up they stand; a file may import only layers that its row names. Mirrors the tsconfig references. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  values: ['base'],
  identity: ['base', 'values'],
  net: ['base', 'values'],
  engine: ['base', 'values'],
  hub: ['base', 'values'],
  documents: ['base', 'values'],
  module: ['base', 'values', 'identity', 'engine', 'documents'],
  'local-config': [],
  protocols: ['base', 'values', 'identity', 'net', 'engine', 'hub', 'documents', 'module'],
  client: ['base', 'values', 'protocols'],
  server: ['base', 'values', 'identity', 'net', 'engine', 'hub', 'documents', 'module', 'protocols'],
  cli: ['base', 'values', 'identity', 'net', 'engine', 'hub', 'documents', 'module', 'protocols', 'server'],
};

const IMPORT = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules') && !file.includes(`${root}/dist`));
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => match[1]!);
}

function layerOf(file: string): string {
  return relative(join(root, 'src'), file).split('/')[0]!;
}

const sources = filesBelow(join(root, 'src'), /\.tsx?$/);
const shipped = sources.filter((file) => !/\.(test|bench)\.ts$/.test(file) && !file.includes('/testing/'));

describe('layers', () => {
  it('a layer imports only the layers below it', () => {
    const wrong = shipped.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => layerOf(join(file, '..', specifier)))
        .filter((target) => target !== layerOf(file) && !MAY_IMPORT[layerOf(file)]?.includes(target))
        .map((target) => `${relative(root, file)} imports ${target}`),
    );
    expect(wrong).toEqual([]);
    expect(shipped.length).toBeGreaterThan(10);
  });

  it('a protocol never imports another protocol', () => {
    const protocolOf = (file: string): string | undefined => /src\/protocols\/([^/]+)\//.exec(file)?.[1];
    const wrong = shipped
      .filter((file) => protocolOf(file) !== undefined)
      .flatMap((file) =>
        importsOf(file)
          .filter((specifier) => specifier.startsWith('.'))
          .filter((specifier) => {
            const target = protocolOf(join(file, '..', specifier));
            return target !== undefined && target !== protocolOf(file);
          })
          .map((specifier) => `${relative(root, file)} imports ${specifier}`),
      );
    expect(wrong).toEqual([]);
  });

  it('what runs in browsers imports nothing of Node', () => {
    const browser = shipped.filter(
      (file) =>
        /src\/(base|values|client)\/|src\/protocols\/[^/]+\/(messages|client|react)\//.test(file) &&
        !file.endsWith('.node.ts'),
    );
    const wrong = browser.filter((file) =>
      importsOf(file).some((specifier) => specifier.startsWith('node:') || specifier === 'ws'),
    );
    expect(wrong).toEqual([]);
  });

  it('nothing below server and cli reads the environment or the arguments', () => {
    const wrong = shipped
      // local-config is a program's own: `--client` is its purpose.
      .filter((file) => !['server', 'cli', 'local-config'].includes(layerOf(file)))
      .filter((file) => /process\.(env|argv)\b/.test(readFileSync(file, 'utf8')));
    expect(wrong).toEqual([]);
  });
});

describe('safety', () => {
  it('no Map or Set has bigint keys: V8 hashes only their low 64 bits', () => {
    const wrong = shipped.filter((file) => /\b(Map|Set)<bigint\b/.test(readFileSync(file, 'utf8')));
    expect(wrong).toEqual([]);
  });

  it('no focused test is committed, and a skipped one says why', () => {
    const tests = filesBelow(root, /\.test\.tsx?$/).filter((file) => !file.endsWith('tidy.test.ts'));
    const focused = tests.filter((file) => /\b(it|test|describe)\.only\b/.test(readFileSync(file, 'utf8')));
    expect(focused).toEqual([]);
  });

  it('what runs a script when it is installed ships its binaries: nobody needs a compiler', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const scripted = Object.entries(lock.packages).filter(
      ([, { hasInstallScript }]) => hasInstallScript === true,
    );
    const names = new Set(scripted.map(([path]) => path.replace(/^.*node_modules\//, '')));
    const known = ['bufferutil', 'cbor-extract', 'es5-ext', 'esbuild', 'msgpackr-extract', 'utf-8-validate'];
    expect([...names].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('the lockfile names no address of a registry', () => {
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
    expect(lock).not.toMatch(/"resolved": "https?:/);
  });
});

describe('size', () => {
  it('no source file grows past 500 lines', () => {
    const long = shipped.filter((file) => readFileSync(file, 'utf8').split('\n').length > 500);
    expect(long.map((file) => relative(root, file))).toEqual([]);
  });
});

describe('documents', () => {
  it('a coverage table names only test files that exist', () => {
    const documents = filesBelow(join(root, 'docs'), /^coverage-.*\.md$/);
    const missing = documents.flatMap((document) =>
      [...readFileSync(document, 'utf8').matchAll(/`([\w./-]+\.(?:test|test-d)\.ts)`/g)]
        .map((match) => match[1]!)
        .filter((file) => !existsSync(join(root, file)))
        .map((file) => `${relative(root, document)} names ${file}`),
    );
    expect(documents.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it('every layer says in a README what it is', () => {
    const layers = readdirSync(join(root, 'src')).filter((name) =>
      statSync(join(root, 'src', name)).isDirectory(),
    );
    const silent = layers.filter(
      (name) => name !== 'protocols' && !readdirSync(join(root, 'src', name)).includes('README.md'),
    );
    expect(silent).toEqual([]);
  });
});
