/*
 * What the compiler must know of a module. Each `@ts-expect-error` fails the type check when the line below it compiles,
 * that is when inference broke; nothing here runs.
 */
import { Range, schema, t, table } from './index.js';
import type { ConnectionId, Identity, Infer, InferSchema, ReducerCtx, Timestamp, Uuid } from './index.js';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the known trick: two such functions are compared as they are
type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
declare function same<A, B>(...proof: Equal<A, B> extends true ? [] : [never]): void;

const Point = t.object('Point', { x: t.i32(), y: t.i32() });
const Shape = t.enum('Shape', { Circle: t.f32(), Square: t.f32(), Nothing: t.unit() });
const Status = t.enum('Status', ['Online', 'Away']);

const user = table(
  {
    public: true,
    indexes: [
      { accessor: 'byName', algorithm: 'btree', columns: ['name'] },
      { accessor: 'byTeamAndScore', algorithm: 'btree', columns: ['team', 'score'] },
      { accessor: 'byEmailHash', algorithm: 'hash', columns: ['email'] },
      { accessor: 'byLevel', algorithm: 'direct', column: 'level' },
    ],
  },
  {
    id: t.u64().primaryKey().autoInc(),
    identity: t.identity().unique(),
    name: t.string(),
    email: t.string(),
    team: t.u32().index(),
    score: t.i64(),
    level: t.u8(),
    nick: t.string().optional(),
    at: t.timestamp(),
    place: Point,
    shape: Shape,
    status: Status.index('hash'),
    tags: t.array(t.string()),
    data: t.byteArray(),
    key: t.uuid(),
    hits: t.u32().default(0),
  },
);
const note = table({}, { text: t.string() });
const app = schema({ user, note });
type Ctx = ReducerCtx<InferSchema<typeof app>>;
declare const ctx: Ctx;
declare const row: Infer<typeof user.rowType>;

same<
  Infer<typeof user.rowType>,
  {
    id: bigint;
    identity: Identity;
    name: string;
    email: string;
    team: number;
    score: bigint;
    level: number;
    at: Timestamp;
    place: { x: number; y: number };
    shape: { tag: 'Circle'; value: number } | { tag: 'Square'; value: number } | { tag: 'Nothing' };
    status: { tag: 'Online' } | { tag: 'Away' };
    tags: string[];
    data: Uint8Array;
    key: Uuid;
    hits: number;
    nick?: string | undefined;
  }
>();

/* Tables and rows */
ctx.db.note.insert({ text: 'x' });
// @ts-expect-error no such table
ctx.db.notes.insert({ text: 'x' });
// @ts-expect-error no such column
ctx.db.note.insert({ text: 'x', txet: 'y' });
// @ts-expect-error a column is missing
ctx.db.note.insert({});
// @ts-expect-error wrong type
ctx.db.note.insert({ text: 1 });
// @ts-expect-error u64 is a bigint
ctx.db.user.insert({ ...row, id: 0 });
// @ts-expect-error u32 is a number
ctx.db.user.insert({ ...row, team: 1n });
// @ts-expect-error no such variant
ctx.db.user.insert({ ...row, status: { tag: 'Gone' } });
// @ts-expect-error a variant's payload
ctx.db.user.insert({ ...row, shape: { tag: 'Circle', value: 'big' } });
same<ReturnType<typeof ctx.db.user.count>, bigint>();
for (const one of ctx.db.user) same<typeof one.score, bigint>();
same<
  (typeof ctx.db.user.iter extends () => infer I ? I : never) extends Iterable<infer R> ? R : never,
  typeof row
>();

/* Enums make their values */
same<typeof Shape.Nothing, { tag: 'Nothing' }>();
same<ReturnType<typeof Shape.Circle>, { tag: 'Circle'; value: number }>();
// @ts-expect-error wrong payload
Shape.Circle('big');

/* Indexes: unique, primary key, ranged, hash */
same<ReturnType<typeof ctx.db.user.id.find>, typeof row | null>();
same<ReturnType<typeof ctx.db.user.id.delete>, boolean>();
ctx.db.user.id.update(row);
// @ts-expect-error the primary key is a bigint
ctx.db.user.id.find(1);
// @ts-expect-error a unique index has no filter
ctx.db.user.id.filter(1n);
ctx.db.user.identity.find(ctx.sender);
// @ts-expect-error only the primary key updates
ctx.db.user.identity.update(row);
// @ts-expect-error not an identity
ctx.db.user.identity.find('c200');
ctx.db.user.byName.filter('ada');
ctx.db.user.byName.filter(new Range({ tag: 'included', value: 'a' }));
same<ReturnType<typeof ctx.db.user.byName.delete>, number>();
// @ts-expect-error not unique
ctx.db.user.byName.find('ada');
// @ts-expect-error wrong type
ctx.db.user.byName.filter(7);
// @ts-expect-error a range of another type
ctx.db.user.byName.filter(new Range({ tag: 'included', value: 7 }));
ctx.db.user.team.filter(3);
ctx.db.user.byTeamAndScore.filter([3, 4n]);
ctx.db.user.byTeamAndScore.filter([3, new Range({ tag: 'excluded', value: 4n })]);
ctx.db.user.byTeamAndScore.filter(3);
// @ts-expect-error the columns in order
ctx.db.user.byTeamAndScore.filter([4n, 3]);
// @ts-expect-error a range comes last
ctx.db.user.byTeamAndScore.filter([new Range({ tag: 'excluded', value: 3 }), 4n]);
ctx.db.user.byEmailHash.filter('a@b');
// @ts-expect-error a hash index knows no ranges
ctx.db.user.byEmailHash.filter(new Range({ tag: 'included', value: 'a' }));
ctx.db.user.byLevel.filter(new Range({ tag: 'included', value: 1 }));
ctx.db.user.status.filter({ tag: 'Away' });
// @ts-expect-error not indexed
void ctx.db.user.email;

/* Columns */
// @ts-expect-error strings do not count
t.string().autoInc();
// @ts-expect-error floats are no keys
t.f64().primaryKey();
// @ts-expect-error arrays are no keys
t.array(t.u8()).unique();
// @ts-expect-error options are no keys
t.string().optional().primaryKey();
// @ts-expect-error direct is for unsigned numbers
t.string().index('direct');
// @ts-expect-error direct is for unsigned numbers
t.i32().index('direct');
// @ts-expect-error no such algorithm
t.u32().index('trie');
// @ts-expect-error a default of another type
t.u32().default('x');
// @ts-expect-error a column is not a type
t.array(t.u32().unique());
// @ts-expect-error a column is not a type
t.object('Bad', { a: t.u32().primaryKey() });
// @ts-expect-error default and primaryKey
table({}, { id: t.u32().default(1).primaryKey() });
// @ts-expect-error default and unique
table({}, { id: t.u32().unique().default(1) });
// @ts-expect-error default and autoInc
table({}, { id: t.u32().autoInc().default(1) });
// @ts-expect-error an index over a column that is not there
table({ indexes: [{ accessor: 'x', algorithm: 'btree', columns: ['nam'] }] }, { name: t.string() });
// @ts-expect-error an index without accessor
table({ indexes: [{ algorithm: 'btree', columns: ['name'] }] }, { name: t.string() });
// @ts-expect-error a constraint over a column that is not there
table({ constraints: [{ constraint: 'unique', columns: ['nam'] }] }, { name: t.string() });
// @ts-expect-error not a type
table({}, { name: 'string' });

/* Reducers */
const setName = app.reducer({ name: t.string(), nick: t.string().optional() }, (c, args) => {
  same<typeof args, { name: string; nick?: string | undefined }>();
  c.db.note.insert({ text: args.name });
  // @ts-expect-error no such parameter
  void args.nam;
  // @ts-expect-error no such context member
  void c.senders;
});
app.reducer((c) => same<typeof c.sender, Identity>());
app.reducer({ name: 'other_name' }, { at: t.timestamp() }, (_c, { at }) => same<typeof at, Timestamp>());
app.reducer({ name: 'other_name' }, (c) => same<typeof c.connectionId, ConnectionId | null>());
app.init((c) => void c.db.user.count());
app.clientConnected({ name: 'hello' }, (c) => void c.newUuidV7());
// @ts-expect-error lifecycle reducers have no parameters
app.init({ a: t.u32() }, () => {});
setName(ctx, { name: 'ada' });
// @ts-expect-error called within a reducer, with the same parameters
setName(ctx, { name: 1 });
app.module({ setName });
// @ts-expect-error only what the schema made can be exported
app.module({ setName: () => {} });

/* Context */
same<typeof ctx.random extends () => infer N ? N : never, number>();
same<ReturnType<typeof ctx.random.fill<Uint8Array>>, Uint8Array>();
// @ts-expect-error the sender is not ours to set
ctx.sender = ctx.identity;
// @ts-expect-error tables are not ours to replace
ctx.db.note = ctx.db.user;

/* Types that contain themselves need the author's annotation, as everywhere in TypeScript */
interface Tree {
  name: string;
  children: Tree[];
}
declare const tree: Tree;
void tree;

/* Results and options */
const outcome = t.result(t.u32(), t.string());
same<Infer<typeof outcome>, { ok: number } | { err: string }>();
const maybe = t.option(t.u32());
same<Infer<typeof maybe>, number | undefined>();
