import { describe, expect, test } from 'vitest';
import { encodeHex } from '../../../../base/hex.js';
import type { TableDef } from '../../../../engine/schema.js';
import type { ModuleDef, ReducerDef } from '../../../../module/module-def.js';
import { primitiveType, productType } from '../../../../values/algebraic-type.js';
import { encodeModuleDefV10, encodeModuleDefV10Json } from './module-def-v10.js';
import { encodeModuleDefV9Json } from './module-def-v9.js';

const U64 = primitiveType('u64');
const STRING = primitiveType('string');

const userRow = productType({ id: U64, name: STRING });
const addUserParams = productType({ name: STRING });

const user: TableDef = {
  name: 'user',
  sourceName: 'user',
  columns: [
    { name: 'id', property: 'id', type: U64 },
    { name: 'name', property: 'name', type: STRING },
  ],
  rowType: userRow,
  rowTypeRef: 0,
  primaryKey: 0,
  indexes: [
    {
      name: 'user_id_idx_btree',
      sourceName: 'user_id_idx_btree',
      accessor: 'id',
      algorithm: 'btree',
      columns: [0],
    },
  ],
  uniqueConstraints: [{ name: 'user_id_key', columns: [0] }],
  sequences: [
    {
      name: 'user_id_seq',
      column: 0,
      start: undefined,
      minValue: undefined,
      maxValue: undefined,
      increment: 1n,
    },
  ],
  schedule: undefined,
  isPublic: true,
  isEvent: false,
};

const addUser: ReducerDef = {
  name: 'add_user',
  sourceName: 'addUser',
  params: addUserParams,
  lifecycle: undefined,
  isPrivate: false,
};

const def: ModuleDef = {
  schema: { typespace: { types: [userRow, addUserParams] }, tables: [user] },
  namedTypes: [
    { name: 'User', scope: [], ref: 0 },
    { name: 'AddUser', scope: [], ref: 1 },
  ],
  reducers: [addUser],
  caseConversion: 'snakeCase',
};

/** Recorded: what npm spacetimedb 2.10.1 says of this module. */
const CAPTURED = `
  02 0f000000
  00 02000000 02 02000000 00 02000000 6964 0d 00 04000000 6e616d65 04
              02 01000000 00 04000000 6e616d65 04
  01 02000000 00000000 04000000 55736572 00000000 01
              00000000 07000000 41646455736572 01000000 01
  02 01000000 04000000 75736572 00000000 01000000 0000
     01000000 00 11000000 757365725f69645f6964785f6274726565 00 02000000 6964 00 01000000 0000
     01000000 01 00 01000000 0000
     01000000 01 0000 01 01 01 01000000000000000000000000000000
     01 00 00000000 00
  03 01000000 07000000 61646455736572 01000000 00 04000000 6e616d65 04 01 02 00000000 04
  04 00000000  05 00000000  0d 00000000  06 00000000  07 00000000
  0b 00000000  0c 00000000  08 00000000  0a 00000000  09 01  0e 00000000`;

describe('module definitions', () => {
  test('version 10 in BSATN is what the npm package writes for the same module', () => {
    expect(encodeHex(encodeModuleDefV10(def))).toBe(CAPTURED.replaceAll(/\s/g, ''));
  });

  test('version 10 in JSON has the sections, variants and options of the protocol', () => {
    const { sections } = JSON.parse(encodeModuleDefV10Json(def)) as {
      sections: readonly Record<string, unknown>[];
    };
    expect(sections.map((section) => Object.keys(section)[0])).toHaveLength(15);
    expect(sections[0]).toEqual({
      Typespace: {
        types: [
          {
            Product: {
              elements: [
                { name: { some: 'id' }, algebraic_type: { U64: [] } },
                { name: { some: 'name' }, algebraic_type: { String: [] } },
              ],
            },
          },
          { Product: { elements: [{ name: { some: 'name' }, algebraic_type: { String: [] } }] } },
        ],
      },
    });
    expect(sections[2]).toEqual({
      Tables: [
        {
          source_name: 'user',
          product_type_ref: 0,
          primary_key: [0],
          indexes: [
            {
              source_name: { some: 'user_id_idx_btree' },
              accessor_name: { some: 'id' },
              algorithm: { BTree: [0] },
            },
          ],
          constraints: [{ source_name: { none: [] }, data: { Unique: { columns: [0] } } }],
          sequences: [
            {
              source_name: { none: [] },
              column: 0,
              start: { none: [] },
              min_value: { none: [] },
              max_value: { none: [] },
              increment: 1,
            },
          ],
          table_type: { User: [] },
          table_access: { Public: [] },
          default_values: [],
          is_event: false,
        },
      ],
    });
  });

  test('names that the policy would not give are explicit', () => {
    const odd: ModuleDef = {
      ...def,
      schema: {
        ...def.schema,
        tables: [
          { ...user, name: 'people', columns: [{ name: 'ID', property: 'id', type: U64 }, user.columns[1]!] },
        ],
      },
      reducers: [
        { ...addUser, name: 'grow' },
        { ...addUser, sourceName: 'oneU8', name: 'one_u_8' },
      ],
    };
    const { sections } = JSON.parse(encodeModuleDefV10Json(odd)) as {
      sections: readonly Record<string, unknown>[];
    };
    expect(sections.find((section) => 'ExplicitNames' in section)).toEqual({
      ExplicitNames: {
        entries: [
          { Table: { source_name: 'user', canonical_name: 'people' } },
          { Index: { source_name: 'user_id_idx_btree', canonical_name: 'user_id_idx_btree' } },
          { Function: { source_name: 'addUser', canonical_name: 'grow' } },
        ],
      },
    });
  });

  test('version 9 has canonical names and the lifecycle beside the reducer', () => {
    const connected: ReducerDef = {
      ...addUser,
      name: 'on_connect',
      sourceName: 'onConnect',
      params: { kind: 'product', elements: [] },
      lifecycle: 'clientConnected',
    };
    const json = JSON.parse(encodeModuleDefV9Json({ ...def, reducers: [addUser, connected] })) as {
      tables: readonly Record<string, unknown>[];
      reducers: unknown;
    };
    expect(json.reducers).toEqual([
      {
        name: 'add_user',
        params: { elements: [{ name: { some: 'name' }, algebraic_type: { String: [] } }] },
        lifecycle: { none: [] },
      },
      { name: 'on_connect', params: { elements: [] }, lifecycle: { some: { OnConnect: [] } } },
    ]);
    expect(json.tables[0]).toMatchObject({
      name: 'user',
      schedule: { none: [] },
      constraints: [{ name: { some: 'user_id_key' }, data: { Unique: { columns: [0] } } }],
      table_type: { User: [] },
    });
  });

  test('an exact 128-bit bound and a default value survive', () => {
    const bounded: TableDef = {
      ...user,
      columns: [user.columns[0]!, { ...user.columns[1]!, defaultValue: 'ada' }],
      sequences: [{ ...user.sequences[0]!, maxValue: 2n ** 100n }],
    };
    const json = encodeModuleDefV10Json({ ...def, schema: { ...def.schema, tables: [bounded] } });
    expect(json).toContain(`"max_value":{"some":${2n ** 100n}}`);
    expect(json).toContain('"default_values":[{"col_id":1,"value":"03000000616461"}]');
  });
});
