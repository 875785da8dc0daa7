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
    ctx.withTx(({ db }) => {
      const row = db.counter.id.find(1) ?? db.counter.insert({ id: 1, value: 0, clicks: 0 });
      const value = Math.max(0, row.value + step);
      db.counter.id.update({ ...row, value, clicks: row.clicks + 1 });
      // Leaves once the new value is on disk, so that no page shows what a crash could take back.
      ctx.broadcast(JSON.stringify({ value } satisfies Update));
    });
  },
});
