import { describe, expect, test } from 'vitest';
import { generateTypeScript } from './generate-typescript.js';
import { moduleDefFromSchemaJson } from './module-def-from-schema.js';
import { CodegenError } from './names.js';

/* Written out by hand after the reference's description of the two versions. */
const TYPESPACE = {
  types: [
    {
      Product: {
        elements: [
          { name: { some: 'userId' }, algebraic_type: { U64: [] } },
          { name: { some: 'whoIs' }, algebraic_type: { Product: { elements: [{ name: { some: '__identity__' }, algebraic_type: { U256: [] } }] } } },
          { name: { some: 'moodNow' }, algebraic_type: { Ref: 1 } },
        ],
      },
    },
    {
      Sum: {
        variants: [
          { name: { some: 'VeryGood' }, algebraic_type: { Product: { elements: [] } } },
          { name: { some: 'Bad' }, algebraic_type: { String: [] } },
        ],
      },
    },
  ],
}; // prettier-ignore

const V10 = {
  sections: [
    { Typespace: TYPESPACE },
    { Types: [{ source_name: { scope: [], source_name: 'mood' }, ty: 1, custom_ordering: true }] },
    {
      Tables: [
        {
          source_name: 'chatUser',
          product_type_ref: 0,
          primary_key: [0],
          indexes: [
            {
              source_name: { some: 'chatUser_userId_idx_btree' },
              accessor_name: { some: 'userId' },
              algorithm: { BTree: [0] },
            },
            {
              source_name: { some: 'mine' },
              accessor_name: { some: 'byWho' },
              algorithm: { Direct: 1 },
            },
          ],
          constraints: [{ source_name: { none: [] }, data: { Unique: { columns: [0] } } }],
          sequences: [],
          table_type: { User: [] },
          table_access: { Public: [] },
          default_values: [],
          is_event: false,
        },
      ],
    },
    {
      Reducers: [
        { source_name: 'setMood', params: { elements: [{ name: { some: 'newMood' }, algebraic_type: { Ref: 1 } }] }, visibility: { ClientCallable: [] }, ok_return_type: {}, err_return_type: {} },
        { source_name: 'hello', params: { elements: [] }, visibility: { Private: [] }, ok_return_type: {}, err_return_type: {} },
      ], // prettier-ignore
    },
    { LifeCycleReducers: [{ lifecycle_spec: { OnConnect: [] }, function_name: 'hello' }] },
    {
      ExplicitNames: {
        entries: [
          { Function: { source_name: 'setMood', canonical_name: 'mood_set' } },
          { Index: { source_name: 'mine', canonical_name: 'my_index' } },
        ],
      },
    },
    { CaseConversionPolicy: { SnakeCase: [] } },
  ],
};

describe('version 10', () => {
  const def = moduleDefFromSchemaJson(JSON.stringify(V10));

  test('names become canonical by the policy, but for those that are listed', () => {
    const [table] = def.schema.tables;
    expect(table!.name).toBe('chat_user');
    expect(table!.columns.map(({ name }) => name)).toEqual(['user_id', 'who_is', 'mood_now']);
    expect(table!.primaryKey).toBe(0);
    expect(table!.indexes.map(({ name, accessor, algorithm }) => [name, accessor, algorithm])).toEqual([
      ['chat_user_user_id_idx_btree', 'userId', 'btree'],
      ['my_index', 'byWho', 'direct'],
    ]);
    expect(table!.uniqueConstraints).toEqual([{ name: 'chat_user_user_id_key', columns: [0] }]);
    expect(def.reducers.map(({ name, lifecycle }) => [name, lifecycle])).toEqual([
      ['mood_set', undefined],
      ['hello', 'clientConnected'],
    ]);
    expect(def.namedTypes).toEqual([{ name: 'Mood', scope: [], ref: 1 }]);
  });

  test('is enough to generate from', () => {
    const files = generateTypeScript(def, { sdk: 'chorale' });
    expect(files.get('chat_user_table.ts')).toContain('whoIs: __t.identity().name("who_is")');
    expect(files.get('types.ts')).toContain('{ VeryGood: __t.unit(), Bad: __t.string() }');
    expect(files.get('mood_set_reducer.ts')).toContain('newMood: Mood');
  });
});

test('version 9 has canonical names already', () => {
  const def = moduleDefFromSchemaJson(
    JSON.stringify({
      typespace: TYPESPACE,
      tables: [
        {
          name: 'user',
          product_type_ref: 0,
          primary_key: [],
          indexes: [{ name: { none: [] }, accessor_name: { none: [] }, algorithm: { Hash: [0] } }],
          constraints: [],
          sequences: [],
          schedule: { none: [] },
          table_type: { User: [] },
          table_access: { Private: [] },
        },
      ],
      types: [{ name: { scope: ['deep'], name: 'mood' }, ty: 1, custom_ordering: false }],
      reducers: [{ name: 'start', params: { elements: [] }, lifecycle: { some: { Init: [] } } }],
      misc_exports: [],
      row_level_security: [],
    }),
  );
  expect(def.schema.tables[0]).toMatchObject({ name: 'user', isPublic: false, primaryKey: undefined });
  expect(def.schema.tables[0]!.indexes[0]!.name).toBe('user_userId_idx_hash');
  expect(def.reducers[0]!.lifecycle).toBe('init');
});

test.each([
  ['{}', 'schema should be an object with `typespace`'],
  ['[]', 'schema should be an object with `typespace`'],
  ['{"sections":[1]}', 'schema.sections[0] should be one variant'],
  [
    '{"sections":[{"Tables":[{"source_name":7}]}]}',
    'schema.sections[0].Tables[0].source_name should be a text',
  ],
])('%s is refused with its place', (text, message) => {
  expect(() => moduleDefFromSchemaJson(text)).toThrow(CodegenError);
  expect(() => moduleDefFromSchemaJson(text)).toThrow(message);
});

test('columns that do not exist are refused', () => {
  const text = JSON.stringify(V10).replace('"primary_key":[0]', '"primary_key":[9]');
  expect(() => moduleDefFromSchemaJson(text)).toThrow('primary_key[0] should be a column of the 3');
});
