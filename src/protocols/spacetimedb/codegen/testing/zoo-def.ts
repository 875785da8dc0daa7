import type { ColumnDef, IndexDef, TableDef } from '../../../../engine/schema.js';
import type { ModuleDef } from '../../../../module/module-def.js';
import {
  arrayType, PRIMITIVE_KINDS, primitiveType, productType, sumType, UNIT_TYPE,
} from '../../../../values/algebraic-type.js'; // prettier-ignore
import type { AlgebraicType, ProductType } from '../../../../values/algebraic-type.js';
import {
  CONNECTION_ID_TYPE, IDENTITY_TYPE, optionType, resultType, SCHEDULE_AT_TYPE, TIME_DURATION_TYPE, TIMESTAMP_TYPE,
  UUID_TYPE,
} from '../../../../values/special-types.js'; // prettier-ignore

/* A module with one of everything that bindings can hold; for the tests of this folder. */

const string = primitiveType('string');
const u32 = primitiveType('u32');
const u64 = primitiveType('u64');
const ref = (place: number): AlgebraicType => ({ kind: 'ref', ref: place });

const TYPES: readonly AlgebraicType[] = [
  productType({ x: primitiveType('f32'), y: primitiveType('f32') }),
  sumType({ circle: primitiveType('f64'), square: ref(0), nothing: UNIT_TYPE }),
  // A type that contains itself.
  productType({ name: string, children: arrayType(ref(2)), shape: optionType(ref(1)) }),
  // Two types that contain each other.
  productType({ folders: arrayType(ref(4)) }),
  sumType({ file: string, folder: ref(3) }),
  sumType({ red: UNIT_TYPE, dark_green: UNIT_TYPE }),
];

function table(
  name: string,
  columns: Readonly<Record<string, AlgebraicType>>,
  extra: Partial<TableDef> = {},
): TableDef {
  const rowType = productType(columns);
  const columnDefs: ColumnDef[] = rowType.elements.map(({ name: column, property, type }) => ({
    name: column!,
    property,
    type,
  }));
  return {
    name,
    sourceName: name,
    columns: columnDefs,
    rowType,
    rowTypeRef: 0,
    primaryKey: undefined,
    indexes: [],
    uniqueConstraints: [],
    sequences: [],
    schedule: undefined,
    isPublic: true,
    isEvent: false,
    ...extra,
  };
}

function index(
  name: string,
  columns: readonly number[],
  algorithm: IndexDef['algorithm'] = 'btree',
  accessor?: string,
): IndexDef {
  return { name, sourceName: name, accessor, algorithm, columns };
}

const everyPrimitive = Object.fromEntries(PRIMITIVE_KINDS.map((kind) => [`a_${kind}`, primitiveType(kind)]));

const animal = table(
  'zoo_animal',
  {
    animal_id: u64,
    tag_name: string,
    home: ref(0),
    body: ref(1),
    tree: ref(2),
    root: ref(3),
    color: ref(5),
    owner: IDENTITY_TYPE,
    seen_by: CONNECTION_ID_TYPE,
    born: TIMESTAMP_TYPE,
    age: TIME_DURATION_TYPE,
    key: UUID_TYPE,
    feed_at: SCHEDULE_AT_TYPE,
    photo: arrayType(primitiveType('u8')),
    notes: arrayType(string),
    nick_name: optionType(string),
    checked: resultType(u32, string),
    inline: productType({ deep_field: u32 }),
  },
  {
    primaryKey: 0,
    indexes: [
      index('zoo_animal_animal_id_idx_btree', [0], 'btree', 'animal_id'),
      index('zoo_animal_tag_name_idx_btree', [1]),
      index('zoo_animal_born_idx_btree', [9, 7], 'btree', 'by_birth'),
      index('zoo_animal_owner_idx_hash', [7], 'hash', 'owner'),
    ],
    uniqueConstraints: [
      { name: 'zoo_animal_animal_id_key', columns: [0] },
      { name: 'zoo_animal_tag_name_key', columns: [1] },
      { name: 'zoo_animal_born_owner_key', columns: [9, 7] },
    ],
  },
);

const params = (fields: Readonly<Record<string, AlgebraicType>>): ProductType => productType(fields);

export const ZOO: ModuleDef = {
  schema: {
    typespace: { types: TYPES },
    tables: [
      animal,
      table('every_primitive', everyPrimitive),
      table('alarm', { text: string }, { isEvent: true }),
      table('secret', { text: string }, { isPublic: false }),
    ],
  },
  namedTypes: [
    { name: 'point', scope: [], ref: 0 },
    { name: 'Shape', scope: [], ref: 1 },
    { name: 'Tree', scope: [], ref: 2 },
    { name: 'Folder', scope: ['disk'], ref: 3 },
    { name: 'Entry', scope: ['disk'], ref: 4 },
    { name: 'Color', scope: [], ref: 5 },
  ],
  reducers: [
    { name: 'add_animal', sourceName: 'addAnimal', params: params({ tag_name: string, body: ref(1) }), lifecycle: undefined, isPrivate: false },
    { name: 'move_all', sourceName: 'moveAll', params: params({}), lifecycle: undefined, isPrivate: false },
    { name: 'delete', sourceName: 'delete', params: params({ folder: ref(3), until: optionType(TIMESTAMP_TYPE) }), lifecycle: undefined, isPrivate: false },
    { name: 'feed', sourceName: 'feed', params: params({ animal_id: u64 }), lifecycle: undefined, isPrivate: true },
    { name: 'init', sourceName: 'init', params: params({}), lifecycle: 'init', isPrivate: true },
  ], // prettier-ignore
  caseConversion: 'snakeCase',
};
