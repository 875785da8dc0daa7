import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModuleDef } from '../../../module/module-def.js';
import { generateTypeScript } from './generate-typescript.js';
import type { ClientSdk } from './generate-typescript.js';
import { CodegenError } from './names.js';
import { readOrUpdate } from './testing/committed.js';
import { ZOO } from './testing/zoo-def.js';

/** UPDATE_GENERATED=1 writes them anew. */
function expectCommitted(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [name, text] of files) expect(readOrUpdate(`${folder}/${name}`, text), name).toBe(text);
}

describe.each<ClientSdk>(['chorale', 'spacetimedb'])('bindings for %s', (sdk) => {
  test('of one of everything are as they are in the repository, where they are compiled', () => {
    expectCommitted(`zoo-${sdk}`, generateTypeScript(ZOO, { sdk }));
  });

  test('do not depend on the order in which tables and reducers are defined', () => {
    const reversed: ModuleDef = {
      ...ZOO,
      schema: { ...ZOO.schema, tables: ZOO.schema.tables.toReversed() },
      reducers: ZOO.reducers.toReversed(),
    };
    expect([...generateTypeScript(reversed, { sdk })]).toEqual([...generateTypeScript(ZOO, { sdk })]);
  });
});

test('the npm SDK gets btree indexes only, and constraints of one column', () => {
  const index = generateTypeScript(ZOO, { sdk: 'spacetimedb' }).get('index.ts')!;
  expect(index).not.toContain('"hash"');
  expect(index).not.toContain('zoo_animal_born_owner_key');
  const ours = generateTypeScript(ZOO, { sdk: 'chorale' }).get('index.ts')!;
  expect(ours).toContain('"hash"');
  expect(ours).toContain('zoo_animal_born_owner_key');
});

test('private tables and reducers are only for owners', () => {
  expect(generateTypeScript(ZOO, { sdk: 'chorale' }).has('secret_table.ts')).toBe(false);
  const all = generateTypeScript(ZOO, { sdk: 'chorale', includePrivate: true });
  expect(all.has('secret_table.ts')).toBe(true);
  expect(all.has('feed_reducer.ts')).toBe(true);
  expect(all.has('init_reducer.ts')).toBe(false);
});

function renamed(name: string): ModuleDef {
  const [first] = ZOO.schema.tables;
  return { ...ZOO, schema: { ...ZOO.schema, tables: [{ ...first!, name }] } };
}

test.each(['__proto__', '../../etc/passwd', 'a"b', 'a`${1}`', 'a b', '', '1a', 'a\u2028b', 'ä'])(
  'the name %j is refused',
  (name) => {
    expect(() => generateTypeScript(renamed(name), { sdk: 'chorale' })).toThrow(CodegenError);
  },
);

test('no name of a table becomes anything but an identifier', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      try {
        const files = generateTypeScript(renamed(name), { sdk: 'chorale' });
        expect(name).toMatch(/^[A-Za-z_$][A-Za-z0-9_$]*$/);
        expect([...files.keys()]).toContain(`${name}_table.ts`);
      } catch (error) {
        expect(error).toBeInstanceOf(CodegenError);
      }
    }),
  );
});

test('two tables that would be one property are refused by name', () => {
  const [first] = ZOO.schema.tables;
  const tables = [
    { ...first!, name: 'a_b' },
    { ...first!, name: 'aB' },
  ];
  expect(() => generateTypeScript({ ...ZOO, schema: { ...ZOO.schema, tables } }, { sdk: 'chorale' })).toThrow(
    'tables `aB` and `a_b` would both be generated as `aB`',
  );
});
