import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModuleDef } from '../../../module/module-def.js';
import { arrayType } from '../../../values/algebraic-type.js';
import { generatePython } from './generate-python.js';
import { CodegenError } from './names.js';
import { ZOO } from './testing/zoo-def.js';

const folder = fileURLToPath(new URL('../../../../interop/generated/zoo-python', import.meta.url));

test('bindings of one of everything are as they are in the repository, where Python reads them', () => {
  // UPDATE_GENERATED=1 writes them anew; interop/python runs them.
  for (const [name, text] of generatePython(ZOO)) {
    const path = join(folder, name);
    if (process.env['UPDATE_GENERATED'] !== undefined) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    expect(existsSync(path) ? readFileSync(path, 'utf8') : undefined, path).toBe(text);
  }
});

test('one file for each table and reducer, and none for types when there are none', () => {
  expect([...generatePython(ZOO).keys()].toSorted()).toEqual([
    '__init__.py',
    '_types.py',
    'add_animal_reducer.py',
    'alarm.py',
    'delete_reducer.py',
    'every_primitive.py',
    'move_all_reducer.py',
    'zoo_animal.py',
  ]);
  const plain = { ...ZOO, schema: { ...ZOO.schema, tables: [ZOO.schema.tables[2]!] }, reducers: [] };
  expect([...generatePython(plain).keys()]).toEqual(['__init__.py', 'alarm.py']);
});

test('private tables and reducers are only for owners', () => {
  const all = generatePython(ZOO, { includePrivate: true });
  expect(all.has('secret.py')).toBe(true);
  expect(all.has('feed_reducer.py')).toBe(true);
  expect(all.has('init_reducer.py')).toBe(false);
});

test('the order of definitions does not matter', () => {
  const reversed: ModuleDef = {
    ...ZOO,
    schema: { ...ZOO.schema, tables: ZOO.schema.tables.toReversed() },
    reducers: ZOO.reducers.toReversed(),
  };
  expect(Object.fromEntries(generatePython(reversed))).toEqual(Object.fromEntries(generatePython(ZOO)));
});

function withTable(name: string, column = 'text'): ModuleDef {
  const alarm = ZOO.schema.tables[2]!;
  const columns = [{ ...alarm.columns[0]!, name: column }];
  return { ...ZOO, schema: { ...ZOO.schema, tables: [{ ...alarm, name, columns }] }, reducers: [] };
}

test.each([
  'class',
  'None',
  'none',
  '__init__',
  '_types',
  'add_reducer',
  '../x',
  'a"b',
  'a b',
  '',
  '1a',
  '_1',
  'a$',
  'ä',
])('a table %j is refused', (name) => {
  expect(() => generatePython(withTable(name))).toThrow(CodegenError);
});

test('words of Python may name columns, parameters and reducers', () => {
  expect(generatePython(withTable('mail', 'from')).get('mail.py')).toContain(
    'def filter_by_from(cls, from_: str) -> _t.List[Mail]:\n        return [row for row in cls.iter() if row.data["from"] == from_]',
  );
  expect(generatePython(withTable('mail', 'row')).get('mail.py')).toContain('row.data["row"] == row_]');
  const [addAnimal] = ZOO.reducers;
  const reducers = [{ ...addAnimal!, name: 'import' }];
  expect(generatePython({ ...ZOO, reducers }).get('import_reducer.py')).toContain('def import_(');
});

test('a type that is an array of itself is refused', () => {
  const types = [...ZOO.schema.typespace.types, arrayType({ kind: 'ref', ref: 6 })];
  const [addAnimal] = ZOO.reducers;
  const params = {
    kind: 'product',
    elements: [{ name: 'x', property: 'x', type: { kind: 'ref', ref: 6 } }],
  } as const;
  const endless = {
    ...ZOO,
    schema: { ...ZOO.schema, typespace: { types } },
    reducers: [{ ...addAnimal!, params }],
  };
  expect(() => generatePython(endless)).toThrow(CodegenError);
});

test('no name of a table becomes anything but an identifier', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, column) => {
      try {
        const files = generatePython(withTable(name, column));
        expect(`${name}${column}`).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
        expect([...files.keys()]).toContain(`${name}.py`);
      } catch (error) {
        expect(error).toBeInstanceOf(CodegenError);
      }
    }),
  );
});
