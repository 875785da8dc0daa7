import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BundleError, bundleModule, findEntry } from './bundle.js';
import { makeProject } from './testing/project.js';

const EMPTY = `import { schema } from 'chorale/server'; export default schema({});`;

async function failureOf(files: Readonly<Record<string, string>>): Promise<BundleError> {
  const project = await makeProject({ 'package.json': '{}', ...files });
  const error: unknown = await bundleModule(project.directory).catch((thrown: unknown) => thrown);
  if (!(error instanceof BundleError)) throw new Error(`expected a BundleError, got ${String(error)}`);
  return error;
}

describe('where a module starts', () => {
  const places = ['src/index.ts', 'index.ts', 'spacetimedb/src/index.ts', 'spacetimedb/index.ts'];
  test.each(places)('a directory with %s', async (place) => {
    const project = await makeProject({ [place]: EMPTY });
    expect(findEntry(project.directory)).toBe(path.join(project.directory, place));
  });

  test('package.json may name it, but not by what was compiled', async () => {
    const named = await makeProject({
      'package.json': '{"module":"lib/app.ts"}',
      'lib/app.ts': EMPTY,
      'index.ts': EMPTY,
    });
    expect(findEntry(named.directory)).toBe(path.join(named.directory, 'lib/app.ts'));
    const compiled = await makeProject({
      'package.json': '{"main":"dist/a.js"}',
      'dist/a.js': '',
      'index.ts': EMPTY,
    });
    expect(findEntry(compiled.directory)).toBe(path.join(compiled.directory, 'index.ts'));
  });

  test('nothing found says where it was looked for', async () => {
    const project = await makeProject({ 'readme.md': '' });
    expect(() => findEntry(project.directory)).toThrow(/looked for src\/index\.ts, index\.ts/);
    expect(() => findEntry(path.join(project.directory, 'nope'))).toThrow(/there is no file or directory/);
    const broken = await makeProject({ 'package.json': '{' });
    expect(() => findEntry(broken.directory)).toThrow(/package\.json is not JSON/);
  });
});

describe('a bundle', () => {
  test("is small, holds the author's files and none of ours", async () => {
    const project = await makeProject({
      'package.json': '{}',
      'src/index.ts': `import { app } from './app'; export default app; export const go = app.reducer(() => console.log('hi'));`,
      'src/app.ts': `import { schema, table, t } from 'spacetimedb/server'; export const app = schema({ a: table({}, { x: t.u8() }) });`,
    });
    const { program, inputs } = await bundleModule(project.directory);
    expect(new Set(inputs.map((input) => path.relative(project.directory, input)))).toEqual(
      new Set(['src/app.ts', 'src/index.ts']),
    );
    expect(program.length).toBeLessThan(4000);
    expect(program).toContain('__chorale_host__.console.log("hi")');
    expect(program).not.toMatch(/^import /m);
  });

  test("an object of the author's that is called console is left alone", async () => {
    const project = await makeProject({
      'index.ts': `${EMPTY} export function f(console: { log(x: string): void }) { console.log('own'); }`,
    });
    expect((await bundleModule(project.directory)).program).toContain('\n  console.log("own")');
  });
});

describe('a module that does not build', () => {
  test('shows the place, the line and a mark below it', async () => {
    const error = await failureOf({ 'src/index.ts': 'const a = 1;\nexport const b = ;\n' });
    expect(error.code).toBe('BUILD_FAILED');
    expect(error.message).toBe(
      'src/index.ts:2:18: Unexpected ";"\n  2 | export const b = ;\n    |                  ^',
    );
    expect(error.problems).toEqual([{ text: 'Unexpected ";"', file: 'src/index.ts', line: 2, column: 18 }]);
  });

  test('a package that is not there says what to do', async () => {
    const error = await failureOf({ 'index.ts': `import x from 'left-pad'; x();` });
    expect(error.message).toContain('index.ts:1:15: Could not resolve "left-pad"');
    expect(error.message).toContain('npm install left-pad');
  });

  test('a file that is not there says what to do', async () => {
    expect((await failureOf({ 'index.ts': `import './nope';` })).message).toContain('correct the path');
  });

  test('a name that chorale/server does not have is named', async () => {
    const error = await failureOf({
      'index.ts': `import { Router } from 'spacetimedb/server'; console.log(Router);`,
    });
    expect(error.message).toContain('Chorale does not have `Router`: see the coverage table');
  });

  test('the host interface of other bundles is explained', async () => {
    const error = await failureOf({
      'index.ts': `import { moduleHooks } from 'spacetime:sys@2.0'; export { moduleHooks };`,
    });
    expect(error.message).toContain("publish the module's TypeScript source");
  });
});
