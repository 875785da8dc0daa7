import { expect, test } from 'vitest';
import type { ModuleDef } from '../../../module/module-def.js';
import { generateAsyncPackage } from './generate-async-package.js';
import { readOrUpdate } from './testing/committed.js';
import { ZOO } from './testing/zoo-def.js';

test('the package of one of everything is as it is in the repository, where it is compiled', () => {
  const files = generateAsyncPackage(ZOO);
  for (const [name, text] of files) expect(readOrUpdate(`zoo-async/${name}`, text), name).toBe(text);
});

test('it does not depend on the order in which tables and reducers are defined', () => {
  const reversed: ModuleDef = {
    ...ZOO,
    schema: { ...ZOO.schema, tables: ZOO.schema.tables.toReversed() },
    reducers: ZOO.reducers.toReversed(),
  };
  expect([...generateAsyncPackage(reversed)]).toEqual([...generateAsyncPackage(ZOO)]);
});

test('there is one file per table and reducer, none for what is private, and an index', () => {
  const files = generateAsyncPackage(ZOO);
  const tables = ZOO.schema.tables.filter((table) => table.isPublic).map(({ name }) => `${name}.ts`);
  const reducers = ZOO.reducers
    .filter((reducer) => reducer.lifecycle === undefined && !reducer.isPrivate)
    .map(({ name }) => `${name}_reducer.ts`);
  expect([...files.keys()].toSorted()).toEqual([...tables, ...reducers, 'index.ts', 'types.ts'].toSorted());
  expect(files.has('secret.ts')).toBe(false);
});

function renamed(table: string): ModuleDef {
  const [first, ...more] = ZOO.schema.tables;
  return { ...ZOO, schema: { ...ZOO.schema, tables: [{ ...first!, name: table }, ...more] } };
}

test.each(['index', 'types', 'Index'])('a table named %s would take the file of another', (name) => {
  expect(() => generateAsyncPackage(renamed(name))).toThrow(/files of .* would both be generated/);
});

test.each(['x; evil()', '../x', 'a-b', '"', '__proto__'])('the name %j is never written', (name) => {
  expect(() => generateAsyncPackage(renamed(name))).toThrow(/is not an identifier/);
});

test('a reducer or parameter that is a reserved word is called otherwise', () => {
  const [reducer] = ZOO.reducers.filter(({ lifecycle, isPrivate }) => lifecycle === undefined && !isPrivate);
  const params = {
    kind: 'product',
    elements: [{ name: 'class', property: 'class', type: { kind: 'u8' } }],
  } as const;
  const file = generateAsyncPackage({ ...ZOO, reducers: [{ ...reducer!, name: 'delete', params }] }).get(
    'delete_reducer.ts',
  );
  expect(file).toContain('export function delete_(class_: __Infer<(typeof __params)["class"]>): void');
  expect(file).toContain('registerOnDelete(');
});
