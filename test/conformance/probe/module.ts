/* A module with one of everything that clients can do; for the conformance and interop suites. */

import { schema, SenderError, t, table } from 'chorale/server';

const mood = t.enum('Mood', { Calm: t.unit(), Angry: t.u8(), Sure: t.string() });
const place = t.object('Place', { x: t.f32(), y: t.f64() });

const user = table(
  { name: 'user', public: true },
  { identity: t.identity().primaryKey(), name: t.string().optional(), online: t.bool() },
);

const message = table(
  {
    name: 'message',
    public: true,
    indexes: [{ accessor: 'bySender', algorithm: 'btree', columns: ['sender', 'id'] }],
  },
  {
    id: t.u64().primaryKey().autoInc(),
    sender: t.identity(),
    sentAt: t.timestamp(),
    text: t.string(),
  },
);

/** Rows without a primary key. */
const label = table({ name: 'label', public: true }, { color: t.u8(), text: t.string() });

const score = table(
  { name: 'score', public: true },
  { player: t.string().unique(), points: t.i64().index('btree') },
);

/** Told, never kept. */
const ring = table({ name: 'door_bell', public: true, event: true }, { text: t.string() });

const secret = table({ name: 'secret' }, { text: t.string() });

const exotic = table(
  { name: 'exotic', public: true },
  {
    id: t.u32().primaryKey(),
    i8: t.i8(),
    u16: t.u16(),
    i32: t.i32(),
    i64: t.i64(),
    u128: t.u128(),
    i256: t.i256(),
    f32: t.f32(),
    f64: t.f64(),
    text: t.string(),
    bytes: t.byteArray(),
    numbers: t.array(t.i16()),
    mood,
    place,
    maybe: t.option(t.u64()),
    owner: t.identity(),
    connection: t.connectionId(),
    seen: t.timestamp(),
    lasted: t.timeDuration(),
    key: t.uuid(),
  },
);

const app = schema({ user, message, label, score, ring, secret, exotic });
export default app;

export const onConnect = app.clientConnected((ctx) => {
  const known = ctx.db.user.identity.find(ctx.sender);
  if (known) ctx.db.user.identity.update({ ...known, online: true });
  else ctx.db.user.insert({ identity: ctx.sender, name: undefined, online: true });
});

export const onDisconnect = app.clientDisconnected((ctx) => {
  const known = ctx.db.user.identity.find(ctx.sender);
  if (known) ctx.db.user.identity.update({ ...known, online: false });
});

export const setName = app.reducer({ name: t.string() }, (ctx, { name }) => {
  if (name === '') throw new SenderError('A name needs at least one letter');
  const known = ctx.db.user.identity.find(ctx.sender);
  if (!known) throw new SenderError('Connect before you choose a name');
  ctx.db.user.identity.update({ ...known, name });
});

export const sendMessage = app.reducer({ text: t.string() }, (ctx, { text }) => {
  if (text === '') throw new SenderError('There is nothing to send');
  ctx.db.message.insert({ id: 0n, sender: ctx.sender, sentAt: ctx.timestamp, text });
});

export const editMessage = app.reducer({ id: t.u64(), text: t.string() }, (ctx, { id, text }) => {
  const known = ctx.db.message.id.find(id);
  if (!known) throw new SenderError(`There is no message ${id}`);
  ctx.db.message.id.update({ ...known, text });
});

export const deleteMessage = app.reducer({ id: t.u64() }, (ctx, { id }) => {
  ctx.db.message.id.delete(id);
});

export const addLabel = app.reducer({ color: t.u8(), text: t.string() }, (ctx, row) => {
  ctx.db.label.insert(row);
});

export const removeLabel = app.reducer({ color: t.u8(), text: t.string() }, (ctx, row) => {
  ctx.db.label.delete(row);
});

export const setScore = app.reducer({ player: t.string(), points: t.i64() }, (ctx, row) => {
  ctx.db.score.player.delete(row.player);
  ctx.db.score.insert(row);
});

export const pressBell = app.reducer({ text: t.string() }, (ctx, row) => {
  ctx.db.ring.insert(row);
});

/** Breaks after it has changed something. */
export const crash = app.reducer((ctx) => {
  ctx.db.label.insert({ color: 0, text: 'never seen' });
  throw new Error('a detail for the log only');
});

export const keepExotic = app.reducer({ row: exotic.rowType }, (ctx, { row }) => {
  ctx.db.exotic.id.delete(row.id);
  ctx.db.exotic.insert(row);
});

/** Many rows in one transaction. */
export const fill = app.reducer({ count: t.u32() }, (ctx, { count }) => {
  for (let i = 0; i < count; i++) ctx.db.score.insert({ player: `p${i}`, points: BigInt(i) });
});
