import { describe, expect, test } from 'vitest';
import type { AlgebraicType } from '../../values/algebraic-type.js';
import { loadModule } from '../load-module.js';
import { CaseConversionPolicy, schema } from '../schema.js';
import type { ModuleExport } from '../reducer-export.js';
import { table } from '../table.js';
import type { TableHandle } from '../table.js';
import { t } from '../types/t.js';

function chat() {
  const user = table(
    {
      public: true,
      indexes: [{ accessor: 'byName', algorithm: 'btree', columns: ['lastName', 'firstName'] }],
    },
    {
      userId: t.u64().primaryKey().autoInc(),
      identity: t.identity().unique(),
      firstName: t.string(),
      lastName: t.string().index('hash'),
    },
  );
  const app = schema({ chatUser: user });
  return { app, user };
}

function defOf(tables: Record<string, TableHandle>) {
  return schema(tables).module({}).def;
}

describe('names', () => {
  test('tables, columns, reducers and parameters are snake case on the wire', () => {
    const { app } = chat();
    const setName = app.reducer({ newName: t.string(), oneU8: t.u8() }, () => {});
    const { def } = app.module({ setName });
    const [user] = def.schema.tables;
    expect([user!.name, user!.sourceName]).toEqual(['chat_user', 'chatUser']);
    expect(user!.columns.map((c) => [c.name, c.property])).toEqual([
      ['user_id', 'userId'],
      ['identity', 'identity'],
      ['first_name', 'firstName'],
      ['last_name', 'lastName'],
    ]);
    expect(def.reducers.map((r) => [r.name, r.sourceName])).toEqual([['set_name', 'setName']]);
    expect(def.reducers[0]!.params.elements.map((e) => e.name)).toEqual(['new_name', 'one_u_8']);
    expect(def.namedTypes).toEqual([{ name: 'ChatUser', scope: [], ref: 0 }]);
  });

  test('indexes, constraints and sequences get the default names of the protocol', () => {
    const { app } = chat();
    const [user] = app.module({}).def.schema.tables;
    expect(user!.primaryKey).toBe(0);
    expect(user!.indexes.map((i) => [i.name, i.sourceName, i.accessor, i.algorithm, i.columns])).toEqual([
      ['chat_user_user_id_idx_btree', 'chatUser_userId_idx_btree', 'userId', 'btree', [0]],
      ['chat_user_identity_idx_btree', 'chatUser_identity_idx_btree', 'identity', 'btree', [1]],
      ['chat_user_last_name_idx_hash', 'chatUser_lastName_idx_hash', 'lastName', 'hash', [3]],
      [
        'chat_user_last_name_first_name_idx_btree',
        'chatUser_lastName_firstName_idx_btree',
        'byName',
        'btree',
        [3, 2],
      ],
    ]);
    expect(user!.uniqueConstraints).toEqual([
      { name: 'chat_user_user_id_key', columns: [0] },
      { name: 'chat_user_identity_key', columns: [1] },
    ]);
    expect(user!.sequences.map((s) => [s.name, s.column, s.increment])).toEqual([
      ['chat_user_user_id_seq', 0, 1n],
    ]);
  });

  test('explicit names win over conversion', () => {
    const app = schema({
      chatUser: table(
        {
          name: 'People',
          indexes: [{ accessor: 'x', name: 'my_index', algorithm: 'btree', columns: ['oneTwo'] }],
        },
        { oneTwo: t.string().name('ONE') },
      ),
    });
    const go = app.reducer({ name: 'GoNow' }, { someThing: t.u8().name('it') }, () => {});
    const { def } = app.module({ go });
    expect(def.schema.tables[0]!.name).toBe('People');
    expect(def.schema.tables[0]!.columns[0]!.name).toBe('ONE');
    expect(def.schema.tables[0]!.indexes[0]!.name).toBe('my_index');
    expect(def.reducers[0]!.name).toBe('GoNow');
    expect(def.reducers[0]!.params.elements[0]!.name).toBe('it');
  });

  test('the policy None leaves names as they are written', () => {
    const app = schema(
      { chatUser: table({}, { userId: t.u8(), mood: t.enum('myMood', ['VeryGood']) }) },
      { CASE_CONVERSION_POLICY: CaseConversionPolicy.None },
    );
    const setName = app.reducer(() => {});
    const { def } = app.module({ setName });
    expect(def.caseConversion).toBe('none');
    expect(def.schema.tables[0]!.name).toBe('chatUser');
    expect(def.schema.tables[0]!.columns[0]!.name).toBe('userId');
    expect(def.reducers[0]!.name).toBe('setName');
    expect(def.namedTypes.map((n) => n.name)).toEqual(['chatUser', 'myMood']);
  });

  const refused: [string, () => unknown, RegExp][] = [
    [
      '__proto__ as a column',
      () => defOf({ a: table({}, JSON.parse('{"x":1}') as never) }),
      /column "x" is not a type/,
    ],
    ['a quote in a table', () => defOf({ 'a"b': table({}, { x: t.u8() }) }), /table `a"b`.*is not a name/],
    ['a backtick in a column', () => defOf({ a: table({}, { 'x`y': t.u8() }) }), /is not a name/],
    ['an empty column', () => defOf({ a: table({}, { '': t.u8() }) }), /is not a name/],
    [
      'an explicit wire name',
      () => defOf({ a: table({}, { x: t.u8().name('x y') }) }),
      /"x y" is not a name/,
    ],
    ['an explicit table name', () => defOf({ a: table({ name: '__proto__' }, { x: t.u8() }) }), /__proto__/],
    ['a type', () => defOf({ a: table({}, { x: t.enum('a b', ['A']) }) }), /type `a b`.*is not a name/],
    ['a variant', () => defOf({ a: table({}, { x: t.enum('E', ['a-b']) }) }), /"a-b" is not a name/],
    [
      'an accessor',
      () =>
        defOf({
          a: table({ indexes: [{ accessor: 'x.y', algorithm: 'btree', columns: ['x'] }] }, { x: t.u8() }),
        }),
      /"x\.y" is not a name/,
    ],
    [
      'two tables',
      () => defOf({ aB: table({}, { x: t.u8() }), a_b: table({}, { x: t.u8() }) }),
      /`aB` and `a_b` are both `a_b`/,
    ],
    [
      'a table and an accessor',
      () => defOf({ foo: table({ name: 'bar' }, { x: t.u8() }), bar: table({ name: 'baz' }, { x: t.u8() }) }),
      /are both `bar`/,
    ],
    [
      'two columns',
      () => defOf({ a: table({}, { oneTwo: t.u8(), one_two: t.u8() }) }),
      /`oneTwo` and `one_two` are both `one_two`/,
    ],
    [
      'two types',
      () => defOf({ a: table({}, { x: t.object('P', { q: t.u8() }), y: t.object('P', { q: t.u16() }) }) }),
      /two different types are called `P`/,
    ],
  ];
  test.each(refused)('%s that cannot be is refused by name', (_what, build, message) => {
    expect(build).toThrow(message);
  });

  test('__proto__ as a key is refused', () => {
    const columns = Object.defineProperty({}, '__proto__', { value: t.u8(), enumerable: true });
    expect(() => defOf({ a: table({}, columns) })).toThrow(/`__proto__` is JavaScript's own/);
  });
});

describe('columns and indexes', () => {
  const refused: [string, () => TableHandle, RegExp][] = [
    [
      'autoInc on a string',
      () => table({}, { x: (t.string() as never as ReturnType<typeof t.u8>).autoInc() }),
      /column `x` of table `a`: autoInc\(\) counts whole numbers/,
    ],
    [
      'default with a primary key',
      () => table({}, { x: t.u8().default(1).primaryKey() } as never),
      /default\(\) cannot be combined/,
    ],
    [
      'two primary keys',
      () => table({}, { x: t.u8().primaryKey(), y: t.u8().primaryKey() }),
      /two primary keys, `x` and `y`/,
    ],
    [
      'direct on a signed number',
      () => table({ indexes: [{ accessor: 'd', algorithm: 'direct', column: 'x' }] }, { x: t.i32() }),
      /direct index needs an unsigned number/,
    ],
    [
      'an index over nothing',
      () => table({ indexes: [{ accessor: 'd', algorithm: 'btree', columns: [] }] }, { x: t.i32() }),
      /names no columns/,
    ],
    [
      'an index over a column twice',
      () => table({ indexes: [{ accessor: 'd', algorithm: 'btree', columns: ['x', 'x'] }] }, { x: t.i32() }),
      /names a column twice/,
    ],
    [
      'an index over an unknown column',
      () =>
        table({ indexes: [{ accessor: 'd', algorithm: 'btree', columns: ['y' as 'x'] }] }, { x: t.i32() }),
      /there is no column `y`/,
    ],
    [
      'an index that hides a method',
      () => table({}, { count: t.u32().index() }),
      /would hide the table's method `count\(\)`.*\.name\('count'\)/,
    ],
    [
      'an accessor that hides a method',
      () => table({ indexes: [{ accessor: 'insert', algorithm: 'btree', columns: ['x'] }] }, { x: t.i32() }),
      /would hide the table's method/,
    ],
    [
      'two indexes of one accessor',
      () =>
        table({ indexes: [{ accessor: 'x', algorithm: 'hash', columns: ['x'] }] }, { x: t.u8().unique() }),
      /index accessors of table `a`/,
    ],
    ['a table without columns', () => table({}, {}), /has no columns/],
    [
      'a type that contains itself',
      () => {
        const node: ReturnType<typeof t.object> = t.object('Node', { next: t.lazy(() => node) });
        return table({}, { root: node });
      },
      /type `Node` contains itself/,
    ],
    [
      'an enum that is an option',
      () => table({}, { x: t.enum('M', { some: t.u8(), none: t.unit() }) }),
      /use t\.option\(\)/,
    ],
    [
      'an object that is an identity',
      () => table({}, { x: t.row('I', { value: t.u256().name('__identity__') }) }),
      /use t\.identity\(\)/,
    ],
  ];
  test.each(refused)('%s is refused', (_what, make, message) => {
    expect(() => defOf({ a: make() })).toThrow(message);
  });

  test('a unique constraint over several columns gets an index to be checked with', () => {
    const def = defOf({
      member: table(
        { constraints: [{ constraint: 'unique', columns: ['teamId', 'userId'] }] },
        { teamId: t.u32(), userId: t.u32() },
      ),
    });
    const [member] = def.schema.tables;
    expect(member!.uniqueConstraints).toEqual([{ name: 'member_team_id_user_id_key', columns: [0, 1] }]);
    expect(member!.indexes.map((i) => [i.name, i.accessor])).toEqual([
      ['member_team_id_user_id_idx_btree', undefined],
    ]);
  });

  test('a default that does not fit its column is refused', () => {
    const bad: [TableHandle, RegExp][] = [
      [table({}, { x: t.u8().default(300) }), /column `x` of table `a`: default: .*300/],
      [table({}, { x: t.string().default(7 as never) }), /expected string/],
      [
        table({}, { x: t.enum('E', ['A']).default({ tag: 'B' as 'A' }) }),
        /column `x` of table `a`: default: /,
      ],
    ];
    for (const [handle, message] of bad) expect(() => defOf({ a: handle })).toThrow(message);
    expect(() => defOf({ a: table({}, { x: t.option(t.u8()).default(undefined) }) })).not.toThrow();
  });

  test('access, events and defaults are carried over', () => {
    const [a] = defOf({ a: table({ public: true, event: true }, { x: t.u32().default(7) }) }).schema.tables;
    expect([a!.isPublic, a!.isEvent, a!.columns[0]!.defaultValue]).toEqual([true, true, 7]);
  });
});

describe('types', () => {
  test('named types stand once in the typespace and are referred to', () => {
    const point = t.object('mapPoint', { posX: t.f32() });
    const def = defOf({
      a: table(
        {},
        { p: point, q: t.array(point), s: t.enum('Shape', { AtPoint: point, Nothing: t.unit() }) },
      ),
      b: table({}, { p: t.object('mapPoint', { posX: t.f32() }) }),
    });
    expect(def.namedTypes.map((n) => `${n.ref} ${n.name}`)).toEqual(['0 A', '1 MapPoint', '2 Shape', '3 B']);
    const ref: AlgebraicType = { kind: 'ref', ref: 1 };
    expect(def.schema.tables[0]!.columns.map((c) => c.type)).toEqual([
      ref,
      { kind: 'array', element: ref },
      { kind: 'ref', ref: 2 },
    ]);
    expect(def.schema.tables[1]!.columns[0]!.type).toEqual(ref);
    expect(def.schema.typespace.types[2]).toMatchObject({
      variants: [
        { name: 'atPoint', tag: 'AtPoint' },
        { name: 'nothing', tag: 'Nothing' },
      ],
    });
  });

  test('a type may contain itself through an array', () => {
    interface Tree extends ReturnType<typeof t.object> {}
    const tree: Tree = t.object('Tree', { name: t.string(), children: t.array(t.lazy(() => tree)) });
    const def = defOf({ a: table({}, { root: tree }) });
    expect(def.schema.typespace.types[1]).toMatchObject({
      elements: [{ name: 'name' }, { name: 'children', type: { element: { kind: 'ref', ref: 1 } } }],
    });
  });

  test('an enum of Ok and Err does not become a result by conversion', () => {
    const def = defOf({ a: table({}, { x: t.enum('Answer', { Ok: t.u8(), Err: t.string() }) }) });
    expect(def.schema.typespace.types[1]).toMatchObject({ variants: [{ name: 'Ok' }, { name: 'Err' }] });
  });

  test('a name with dots has a scope', () => {
    const def = defOf({ a: table({}, { x: t.object('geo.map.point', { y: t.u8() }) }) });
    expect(def.namedTypes[1]).toEqual({ name: 'Point', scope: ['geo', 'map'], ref: 1 });
  });
});

describe('exports', () => {
  test('a module namespace is loaded with its reducers, lifecycles and groups', () => {
    const { app } = chat();
    const { def } = loadModule({
      default: app,
      app,
      sendMessage: app.reducer({ text: t.string() }, () => {}),
      admin: app.exportGroup({ banUser: app.reducer(() => {}) }),
      start: app.init(() => {}),
      hello: app.clientConnected({ name: 'bonjour' }, () => {}),
      bye: app.clientDisconnected(() => {}),
    });
    expect(def.reducers.map((r) => [r.name, r.lifecycle, r.isPrivate])).toEqual([
      ['send_message', undefined, false],
      ['ban_user', undefined, false],
      ['start', 'init', true],
      ['bonjour', 'clientConnected', true],
      ['bye', 'clientDisconnected', true],
    ]);
  });

  test('what is not an export of the schema is a TypeError that names it', () => {
    const { app, user } = chat();
    const load = (exports: object) => () => loadModule({ default: app, ...exports });
    expect(load({ helper: () => 1 })).toThrow(TypeError);
    expect(load({ helper: () => 1 })).toThrow(/export `helper` is a function, not a reducer/);
    expect(load({ LIMIT: 10 })).toThrow(/export `LIMIT` is a number/);
    expect(load({ user })).toThrow(/export `user` is an object/);
    expect(() => loadModule({ sendMessage: app.reducer(() => {}) })).toThrow(
      /default export must be its schema/,
    );
    const other = schema({});
    expect(load({ go: other.reducer(() => {}) })).toThrow(/`go` belongs to another schema/);
    const go = app.reducer(() => {});
    expect(load({ go, again: go })).toThrow(/exported twice, as `go` and `again`/);
    expect(load({ goNow: go, go_now: app.reducer(() => {}) })).toThrow(
      /`goNow` and `go_now` are both `go_now`/,
    );
    expect(load({ a: app.init(() => {}), b: app.init(() => {}) })).toThrow(
      /`a` and `b` are both init reducers/,
    );
  });

  test('wrong calls of the schema say what was expected', () => {
    const { app } = chat();
    const loose = app as unknown as {
      reducer(...parts: unknown[]): unknown;
      init(...parts: unknown[]): unknown;
    };
    expect(() => loose.reducer({ a: t.u8() })).toThrow(/the last argument is the function to run/);
    expect(() => loose.reducer({ a: 'string' }, () => {})).toThrow(/parameter "a" is not a type/);
    expect(() => loose.reducer('x', () => {})).toThrow(/expected an object/);
    expect(() => loose.init({ a: t.u8() }, () => {})).toThrow(/takes no parameters/);
    expect(() => schema({ a: {} as never })).toThrow(/schema\({ a }\): not a table/);
  });

  test('what is not there yet says so where it is defined', () => {
    const { app } = chat();
    expect(() => app.view({ public: true }, t.array(t.u8()), () => [])).toThrow(
      /views are not supported yet/,
    );
    expect(() => app.procedure(t.u8(), () => 1)).toThrow(/procedures are not supported yet/);
    expect(() => app.clientVisibilityFilter.sql('SELECT')).toThrow(
      /row-level security filters are not supported yet/,
    );
    expect(() => schema({ lib: { default: app } as never })).toThrow(/submodules are not supported yet/);
  });
});

describe('schedules', () => {
  function timers(columns: Record<string, unknown>) {
    return table({}, columns as { id: ReturnType<typeof t.u64> });
  }

  test('a reducer names its table, or the table its reducer; it is private then', () => {
    const rows = { id: t.u64().primaryKey().autoInc(), dueAt: t.scheduleAt() };
    const reminder = table({}, rows);
    const legacy = table({ scheduled: (): ModuleExport => ring }, { ...rows });
    const app = schema({ reminder, legacy });
    const remind = app.reducer({ onSchedule: reminder }, { row: reminder.rowType }, () => {});
    const ring = app.reducer({ row: legacy.rowType }, () => {});
    const { def } = app.module({ remind, ring });
    expect(def.schema.tables.map((table_) => table_.schedule)).toEqual([
      { name: 'reminder_sched', column: 1, functionName: 'remind' },
      { name: 'legacy_sched', column: 1, functionName: 'ring' },
    ]);
    expect(def.reducers.map((r) => r.isPrivate)).toEqual([true, true]);
    expect(def.reducers[0]!.params.elements[0]!.type).toEqual({ kind: 'ref', ref: 0 });
  });

  test('a table that cannot be scheduled says what it lacks', () => {
    const noDue = timers({ id: t.u64().primaryKey() });
    const noKey = timers({ id: t.u64(), due: t.scheduleAt() });
    for (const [handle, message] of [
      [noDue, /exactly one column t\.scheduleAt\(\), it has 0/],
      [noKey, /needs a primary key t\.u64\(\)\.primaryKey\(\)\.autoInc\(\)/],
    ] as const) {
      const app = schema({ timer: handle });
      const go = app.reducer({ onSchedule: handle }, () => {});
      expect(() => app.module({ go })).toThrow(message);
    }
  });

  test('a scheduled reducer that is not exported is noticed', () => {
    const timer = table(
      { scheduled: (): ModuleExport => go },
      { id: t.u64().primaryKey(), due: t.scheduleAt() },
    );
    const app = schema({ timer });
    const go = app.reducer(() => {});
    expect(() => app.module({})).toThrow(/scheduled for a reducer that is not exported/);
  });
});

describe('the schema hash', () => {
  const base = () => ({ user: table({ public: true }, { id: t.u64().primaryKey(), name: t.string() }) });
  const hash = (tables: Record<string, TableHandle>) => schema(tables).module({}).schemaHash;

  test('does not depend on reducers or the types only they use', () => {
    const app = schema(base());
    const go = app.reducer({ a: t.object('Only', { b: t.u8() }) }, () => {});
    expect(app.module({ go }).schemaHash).toBe(hash(base()));
  });

  const changed: [string, () => Record<string, TableHandle>][] = [
    [
      'a column more',
      () => ({ user: table({ public: true }, { id: t.u64().primaryKey(), name: t.string(), x: t.u8() }) }),
    ],
    ['another type', () => ({ user: table({ public: true }, { id: t.u64().primaryKey(), name: t.u8() }) })],
    ['another access', () => ({ user: table({}, { id: t.u64().primaryKey(), name: t.string() }) })],
    [
      'another accessor',
      () => ({ User: table({ public: true, name: 'user' }, { id: t.u64().primaryKey(), name: t.string() }) }),
    ],
    [
      'another index',
      () => ({ user: table({ public: true }, { id: t.u64().primaryKey(), name: t.string().index() }) }),
    ],
    ['a table more', () => ({ ...base(), note: table({}, { x: t.u8() }) })],
  ];
  test.each(changed)('depends on %s', (_what, make) => {
    expect(hash(make())).not.toBe(hash(base()));
  });
});
