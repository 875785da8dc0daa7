import { schema, SenderError, t, table } from '../../src/module/index.js';

/* The module that the conformance suite talks to: one table of each kind. */

const user = table({ public: true }, { id: t.u32().primaryKey(), name: t.string() });
const note = table(
  { public: true },
  { id: t.u64().primaryKey().autoInc(), author: t.identity(), text: t.string(), score: t.i32().index() },
);
const tag = table({ public: true }, { word: t.string(), weight: t.u32() });
const secret = table({}, { id: t.u32().primaryKey() });
const pulse = table({ public: true, event: true }, { n: t.u32() });
const online = table({ public: true }, { who: t.identity().primaryKey(), connections: t.u32() });
const banned = table({}, { who: t.identity().primaryKey() });

const app = schema({ user, note, tag, secret, pulse, online, banned });

export const module = app.module({
  setUp: app.init((ctx) => {
    ctx.db.user.insert({ id: 0, name: 'root' });
    ctx.db.secret.insert({ id: 7 });
  }),
  comeIn: app.clientConnected((ctx) => {
    if (ctx.db.banned.who.find(ctx.sender) !== null) throw new SenderError('you are banned');
    const known = ctx.db.online.who.find(ctx.sender);
    if (known === null) ctx.db.online.insert({ who: ctx.sender, connections: 1 });
    else ctx.db.online.who.update({ ...known, connections: known.connections + 1 });
  }),
  goAway: app.clientDisconnected((ctx) => {
    const known = ctx.db.online.who.find(ctx.sender);
    if (known === null) return;
    if (known.connections === 1) ctx.db.online.who.delete(ctx.sender);
    else ctx.db.online.who.update({ ...known, connections: known.connections - 1 });
  }),
  putUser: app.reducer({ id: t.u32(), name: t.string() }, (ctx, row) => {
    if (ctx.db.user.id.find(row.id) === null) ctx.db.user.insert(row);
    else ctx.db.user.id.update(row);
  }),
  addUser: app.reducer({ id: t.u32(), name: t.string() }, (ctx, row) => void ctx.db.user.insert(row)),
  dropUser: app.reducer({ id: t.u32() }, (ctx, { id }) => void ctx.db.user.id.delete(id)),
  comeAndGo: app.reducer({ id: t.u32() }, (ctx, { id }) => {
    ctx.db.user.insert({ id, name: 'short' });
    ctx.db.user.id.delete(id);
    ctx.db.user.id.update({ id: 0, name: 'changed' });
    ctx.db.user.id.update({ id: 0, name: 'root' });
  }),
  write: app.reducer({ text: t.string(), score: t.i32() }, (ctx, { text, score }) => {
    ctx.db.note.insert({ id: 0n, author: ctx.sender, text, score });
  }),
  addTag: app.reducer({ word: t.string(), weight: t.u32() }, (ctx, row) => void ctx.db.tag.insert(row)),
  dropTag: app.reducer({ word: t.string(), weight: t.u32() }, (ctx, row) => void ctx.db.tag.delete(row)),
  beat: app.reducer({ n: t.u32() }, (ctx, row) => void ctx.db.pulse.insert(row)),
  ban: app.reducer({ who: t.identity() }, (ctx, row) => void ctx.db.banned.insert(row)),
  halfThenRefuse: app.reducer({ id: t.u32() }, (ctx, { id }) => {
    ctx.db.user.insert({ id, name: 'half' });
    throw new SenderError('only half');
  }),
  crash: app.reducer((ctx) => {
    ctx.db.user.insert({ id: 99, name: 'gone' });
    throw new TypeError('a mistake');
  }),
});
