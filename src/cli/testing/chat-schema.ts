/** The schema of a small chat as servers send it: version 9, JSON. */
export const CHAT_SCHEMA = JSON.stringify({
  typespace: {
    types: [
      product({
        identity: special('__identity__', 'U256'),
        name: option({ String: [] }),
        online: { Bool: [] },
      }),
      product({
        id: { U64: [] },
        at: special('__timestamp_micros_since_unix_epoch__', 'I64'),
        kind: { Ref: 2 },
      }),
      { Sum: { variants: [variant('text', { String: [] }), variant('image', { Array: { U8: [] } })] } },
    ],
  },
  tables: [
    table('user', 0, { primaryKey: [0] }),
    table('message', 1, { primaryKey: [0], sequences: [0], isPublic: false }),
  ],
  reducers: [
    reducer('send_message', { text: { String: [] } }),
    reducer('set_name', { name: option({ String: [] }) }),
    reducer('move', { id: { U64: [] }, to: { Ref: 0 }, who: special('__identity__', 'U256') }),
    { ...reducer('init', {}), lifecycle: { some: { Init: [] } } },
  ],
  types: [{ name: { scope: [], name: 'Kind' }, ty: 2, custom_ordering: true }],
  misc_exports: [],
  row_level_security: [],
});

type Json = Readonly<Record<string, unknown>>;

function element(name: string, type: unknown): Json {
  return { name: { some: name }, algebraic_type: type };
}

function variant(name: string, type: unknown): Json {
  return element(name, type);
}

function product(fields: Json): Json {
  return { Product: { elements: Object.entries(fields).map(([name, type]) => element(name, type)) } };
}

function special(name: string, kind: string): Json {
  return product({ [name]: { [kind]: [] } });
}

function option(type: unknown): Json {
  return { Sum: { variants: [variant('some', type), variant('none', product({}))] } };
}

interface TableFacts {
  readonly primaryKey?: readonly number[];
  readonly sequences?: readonly number[];
  readonly isPublic?: boolean;
}

function table(
  name: string,
  ref: number,
  { primaryKey = [], sequences = [], isPublic = true }: TableFacts,
): Json {
  return {
    name,
    product_type_ref: ref,
    primary_key: primaryKey,
    indexes: [],
    constraints: primaryKey.map((column) => ({
      name: { none: [] },
      data: { Unique: { columns: [column] } },
    })),
    sequences: sequences.map((column) => ({ name: { none: [] }, column })),
    schedule: { none: [] },
    table_type: { User: [] },
    table_access: isPublic ? { Public: [] } : { Private: [] },
  };
}

function reducer(name: string, params: Json): Json {
  return { name, params: (product(params) as { Product: unknown }).Product, lifecycle: { none: [] } };
}
