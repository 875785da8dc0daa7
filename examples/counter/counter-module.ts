import { schema, t, table } from 'chorale/server';

const counter = table(
  { name: 'counter', public: true },
  { id: t.u8().primaryKey(), value: t.u32(), clicks: t.u32() },
);

const app = schema({ counter });
export default app;

/** What every page is told, as JSON. */
export interface Update {
  readonly value: number;
}

/** `+1` and `-1` change the counter for everybody. */
export const live = app.socket('/counter', {
  connect(ctx, socket) {
    const value = ctx.withTx(({ db }) => db.counter.id.find(1)?.value ?? 0);
    socket.send(JSON.stringify({ value } satisfies Update));
  },
  message(ctx, _socket, data) {
    const step = data === '+1' ? 1 : data === '-1' ? -1 : 0;
    const value = ctx.withTx(({ db }) => {
      const row = db.counter.id.find(1);
      if (row === null) return db.counter.insert({ id: 1, value: Math.max(0, step), clicks: 1 }).value;
      const next = { ...row, value: Math.max(0, row.value + step), clicks: row.clicks + 1 };
      db.counter.id.update(next);
      return next.value;
    });
    ctx.broadcast(JSON.stringify({ value } satisfies Update));
  },
});
