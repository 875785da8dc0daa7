import { describe, expect, test } from 'vitest';
import { Range, ScheduleAt, schema, SenderError, t, table, errors } from './index.js';
import type { Identity, InferSchema, ReducerCtx, Uuid } from './index.js';
import type { ReducerOutcome } from './module-def.js';
import { client, DATABASE, HostFixture, OWNER } from './testing/host-fixture.js';

const user = table(
  {
    public: true,
    indexes: [
      { accessor: 'byTeam', algorithm: 'btree', columns: ['team', 'score'] },
      { accessor: 'byNick', algorithm: 'hash', columns: ['nick'] },
    ],
  },
  {
    id: t.u64().primaryKey().autoInc(),
    name: t.string().unique(),
    team: t.u32(),
    score: t.i32().index(),
    nick: t.string(),
  },
);
const note = table({}, { tags: t.array(t.string()), at: t.option(t.timestamp()) });
const tables = { user, note };

type Ctx = ReducerCtx<InferSchema<ReturnType<typeof makeSchema>>>;
const makeSchema = () => schema(tables);

/** A host whose one reducer `go` runs `body`. */
function hostOf(body: (ctx: Ctx) => unknown): HostFixture {
  const app = makeSchema();
  return new HostFixture(app.module({ go: app.reducer(body as (ctx: Ctx) => void) }));
}

const ada = { id: 0n, name: 'ada', team: 1, score: 10, nick: 'a' };

describe('calling', () => {
  test('a reducer gets its arguments and changes tables', () => {
    const app = makeSchema();
    const addUser = app.reducer({ name: t.string(), team: t.u32() }, (ctx, { name, team }) => {
      ctx.db.user.insert({ id: 0n, name, team, score: 0, nick: '' });
    });
    const fixture = new HostFixture(app.module({ addUser }));
    const outcome = fixture.call('add_user', { name: 'ada', team: 3 });
    expect(outcome).toMatchObject({ kind: 'committed', timestampMicros: fixture.clock.nowMicros() });
    expect(outcome.kind === 'committed' && outcome.commit.origin.functionName).toBe('add_user');
    expect(outcome.kind === 'committed' && outcome.commit.deltas[0]!.inserts).toHaveLength(1);
    expect(fixture.rows('user')).toEqual([{ id: 1n, name: 'ada', team: 3, score: 0, nick: '' }]);
  });

  test('JSON arguments come as an array or as an object of canonical names', () => {
    const app = makeSchema();
    const seen: unknown[] = [];
    const go = app.reducer({ newName: t.string(), big: t.u64() }, (_ctx, args) => void seen.push(args));
    const fixture = new HostFixture(app.module({ go }));
    expect(fixture.host.callReducerJson('go', client(1n), '["ada", 18446744073709551615]').kind).toBe(
      'committed',
    );
    expect(fixture.host.callReducerJson('go', client(1n), '{"new_name":"bob","big":2}').kind).toBe(
      'committed',
    );
    expect(seen).toEqual([
      { newName: 'ada', big: 18446744073709551615n },
      { newName: 'bob', big: 2n },
    ]);
    expect(fixture.host.callReducerJson('go', client(1n), '["ada"')).toMatchObject({
      kind: 'badArguments',
      message: expect.stringContaining('invalid arguments for reducer go: '),
    });
  });

  test('a commit knows the arguments in BSATN, however they came', () => {
    const alarm = table({}, { id: t.u64().primaryKey().autoInc(), at: t.scheduleAt() });
    const app = schema({ alarm });
    const go = app.reducer({ name: t.string(), team: t.u32() }, () => {});
    const ring = app.reducer({ onSchedule: alarm }, { arg: alarm.rowType }, () => {});
    const comeIn = app.clientConnected(() => {});
    const { host } = new HostFixture(app.module({ go, ring, comeIn }));
    const argsOf = (outcome: ReducerOutcome): number[] | undefined =>
      outcome.kind === 'committed' ? [...(outcome.commit.origin.args ?? [])] : undefined;
    const bytes = Uint8Array.of(1, 0, 0, 0, 0x61, 7, 0, 0, 0);
    expect(argsOf(host.callReducer('go', client(1n), bytes))).toEqual([...bytes]);
    expect(argsOf(host.callReducerJson('go', client(1n), '{"team":7,"name":"a"}'))).toEqual([...bytes]);
    const row = Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0);
    expect(argsOf(host.runScheduled('ring', row, () => {}))).toEqual([...row]);
    expect(argsOf(host.clientConnected(client(1n)))).toEqual([]);
  });

  test('arguments that do not fit are refused before anything runs', () => {
    const app = makeSchema();
    let calls = 0;
    const go = app.reducer({ name: t.string() }, () => void (calls += 1));
    const { host } = new HostFixture(app.module({ go }));
    for (const bytes of [[], [9, 0, 0, 0, 1], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0xff], [255, 255, 255, 255]]) {
      const outcome = host.callReducer('go', client(1n), new Uint8Array(bytes));
      expect(outcome).toMatchObject({
        kind: 'badArguments',
        message: expect.stringContaining('invalid arguments for reducer go: '),
      });
    }
    expect(calls).toBe(0);
  });

  test('unknown reducers, source names and inherited names do not exist', () => {
    const app = makeSchema();
    const { host } = new HostFixture(app.module({ sendMessage: app.reducer(() => {}) }));
    for (const name of ['nope', 'sendMessage', 'constructor', '__proto__', '']) {
      const outcome = host.callReducer(name, client(1n), new Uint8Array(0));
      expect(outcome.kind === 'unknown' && outcome.message.startsWith(`no such reducer: \`${name}\``)).toBe(
        true,
      );
    }
    expect(host.callReducer('send_mesage', client(1n), new Uint8Array(0))).toMatchObject({
      message: 'no such reducer: `send_mesage` (did you mean `send_message`?)',
    });
  });

  test('lifecycle reducers cannot be called by anybody', () => {
    const app = makeSchema();
    const fixture = new HostFixture(
      app.module({
        start: app.init(() => {}),
        hi: app.clientConnected(() => {}),
        bye: app.clientDisconnected(() => {}),
      }),
    );
    const messages = ['start', 'hi', 'bye'].map((name) => {
      const outcome = fixture.call(name, {}, { ...client(1n), identity: OWNER });
      return outcome.kind === 'badArguments' ? outcome.message : outcome.kind;
    });
    expect(messages).toEqual([
      "can't directly call special Init lifecycle reducer",
      "can't directly call special OnConnect lifecycle reducer",
      "can't directly call special OnDisconnect lifecycle reducer",
    ]);
  });

  test('a scheduled reducer exists for the owner and the database only', () => {
    const timer = table({}, { id: t.u64().primaryKey().autoInc(), due: t.scheduleAt() });
    const app = schema({ timer });
    const ring = app.reducer({ onSchedule: timer }, { row: timer.rowType }, () => {});
    const fixture = new HostFixture(app.module({ ring }));
    const args = { row: { id: 1n, due: ScheduleAt.interval(5n) } };
    expect(fixture.call('ring', args)).toMatchObject({ kind: 'unknown', message: 'no such reducer: `ring`' });
    for (const identity of [OWNER, DATABASE]) {
      expect(fixture.call('ring', args, { ...client(1n), identity }).kind).toBe('committed');
    }
  });
});

describe('lifecycle', () => {
  test('init runs as the owner, connects as the client', () => {
    const app = makeSchema();
    const seen: [string, Identity, bigint | undefined][] = [];
    const record = (what: string) => (ctx: Ctx) =>
      void seen.push([what, ctx.sender, ctx.connectionId?.__connection_id__]);
    const fixture = new HostFixture(
      app.module({
        start: app.init(record('init')),
        hi: app.clientConnected(record('hi')),
        bye: app.clientDisconnected(record('bye')),
      }),
    );
    const caller = client(7n);
    expect(fixture.host.runInit(OWNER).kind).toBe('committed');
    expect(fixture.host.clientConnected(caller).kind).toBe('committed');
    expect(fixture.host.clientDisconnected(caller).kind).toBe('committed');
    expect(seen).toEqual([
      ['init', OWNER, undefined],
      ['hi', caller.identity, 7n],
      ['bye', caller.identity, 7n],
    ]);
  });

  test('a client is refused by what clientConnected throws', () => {
    const app = makeSchema();
    const hi = app.clientConnected(() => {
      throw new SenderError('closed today');
    });
    expect(new HostFixture(app.module({ hi })).host.clientConnected(client(1n))).toMatchObject({
      kind: 'refused',
      message: 'closed today',
    });
  });

  test('without lifecycle reducers everything is let in', () => {
    const { host } = hostOf(() => {});
    for (const outcome of [
      host.runInit(OWNER),
      host.clientConnected(client(1n)),
      host.clientDisconnected(client(1n)),
    ]) {
      expect(outcome).toMatchObject({ kind: 'committed', commit: { deltas: [] } });
    }
  });
});

describe('failing', () => {
  test('SenderError goes to the caller and undoes everything', () => {
    const fixture = hostOf((ctx) => {
      ctx.db.user.insert(ada);
      throw new SenderError('no');
    });
    expect(fixture.call('go')).toMatchObject({ kind: 'refused', message: 'no' });
    expect(fixture.rows('user')).toEqual([]);
    expect(fixture.messages()).toEqual([]);
  });

  test('anything else thrown is a crash, logged with its stack', () => {
    const fixture = hostOf((ctx) => {
      ctx.db.user.insert(ada);
      throw new TypeError('broken');
    });
    expect(fixture.call('go')).toMatchObject({ kind: 'crashed', message: 'broken' });
    expect(fixture.rows('user')).toEqual([]);
    const [entry] = fixture.log.tail();
    expect(entry).toMatchObject({ level: 'Panic', function: 'go' });
    expect(entry!.message).toContain('TypeError: broken');
    expect(entry!.message).toContain('host.test.ts');
    for (const thrown of ['text', undefined, null, 7n, { a: 1 }, Object.create(null), Symbol('s'), () => 1]) {
      const outcome = hostOf(() => {
        throw thrown;
      }).call('go');
      expect(outcome.kind).toBe('crashed');
    }
  });

  test('errors of the database have classes that a reducer can catch', () => {
    const seen: boolean[] = [];
    const fixture = hostOf((ctx) => {
      ctx.db.user.insert(ada);
      try {
        ctx.db.user.insert(ada);
      } catch (error) {
        seen.push(error instanceof errors.UniqueAlreadyExists, error instanceof errors.NoSuchRow);
      }
      try {
        ctx.db.user.id.update({ ...ada, id: 99n });
      } catch (error) {
        seen.push(error instanceof errors.UniqueAlreadyExists, error instanceof errors.NoSuchRow);
      }
      ctx.db.user.insert({ ...ada, name: 'bob' });
    });
    expect(fixture.call('go').kind).toBe('committed');
    expect(seen).toEqual([true, false, false, true]);
    expect(fixture.rows('user')).toHaveLength(2);
    expect(new errors.NoSuchRow('x')).toMatchObject({ code: 'NoSuchRow', errno: 15, message: 'x' });
  });

  test('an error of the database that nobody caught is a crash', () => {
    const fixture = hostOf((ctx) => {
      ctx.db.user.insert(ada);
      ctx.db.user.insert(ada);
    });
    expect(fixture.call('go').kind).toBe('crashed');
    expect(fixture.rows('user')).toEqual([]);
  });

  test('a promise is an error that says so, and its later rejection harms nobody', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const fixture = hostOf(async (ctx) => {
      ctx.db.user.insert(ada);
      await Promise.resolve();
      ctx.db.user.insert({ ...ada, name: 'late' });
    });
    expect(fixture.call('go')).toMatchObject({
      kind: 'crashed',
      message: expect.stringContaining('reducers are synchronous'),
    });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
    expect(fixture.rows('user')).toEqual([]);
  });

  test('a context that was kept refuses writes', () => {
    let kept: Ctx | undefined;
    const fixture = hostOf((ctx) => void (kept = ctx));
    fixture.call('go');
    expect(() => kept!.db.user.insert(ada)).toThrow(errors.NotInTransaction);
    expect(() => kept!.db.user.id.delete(1n)).toThrow(errors.NotInTransaction);
  });

  test('a reducer may call another, but not the host', () => {
    const app = makeSchema();
    const add = app.reducer(
      { name: t.string() },
      (ctx, { name }) => void ctx.db.user.insert({ ...ada, name }),
    );
    let inner: unknown;
    const both = app.reducer((ctx) => {
      add(ctx, { name: 'one' });
      add(ctx, { name: 'two' });
      inner = fixture.call('add', { name: 'three' });
    });
    const fixture: HostFixture = new HostFixture(app.module({ add, both }));
    expect(fixture.call('both').kind).toBe('committed');
    expect(fixture.rows('user')).toHaveLength(2);
    expect(inner).toMatchObject({ kind: 'crashed' });
  });
});

describe('tables', () => {
  function inside<R>(body: (ctx: Ctx) => R): R {
    let result: { value: R } | undefined;
    const outcome = hostOf((ctx) => {
      for (const [name, team, score, nick] of [
        ['ada', 1, 10, 'a'],
        ['bob', 1, 20, 'b'],
        ['cyd', 2, 30, 'b'],
      ] as const) {
        ctx.db.user.insert({ id: 0n, name, team, score, nick });
      }
      result = { value: body(ctx) };
    }).call('go');
    if (result === undefined) throw new Error(JSON.stringify(outcome));
    return result.value;
  }
  const names = (rows: Iterable<{ name: string }>): string => [...rows].map((row) => row.name).join(' ');

  test('rows are counted, iterated, found, updated and deleted', () => {
    expect(inside(({ db }) => [db.user.count(), names(db.user), names(db.user.iter())])).toEqual([
      3n,
      'ada bob cyd',
      'ada bob cyd',
    ]);
    expect(
      inside(({ db }) => [db.user.id.find(2n)?.name, db.user.id.find(9n), db.user.name.find('cyd')?.id]),
    ).toEqual(['bob', null, 3n]);
    expect(inside(({ db }) => db.user.id.update({ ...db.user.id.find(1n)!, score: 11 }).score)).toBe(11);
    expect(inside(({ db }) => [db.user.id.delete(1n), db.user.id.delete(1n), names(db.user)])).toEqual([
      true,
      false,
      'bob cyd',
    ]);
    expect(inside(({ db }) => [db.user.delete(db.user.id.find(1n)!), db.user.count()])).toEqual([true, 2n]);
    expect(inside(({ db }) => [db.user.clear(), db.user.count()])).toEqual([3n, 0n]);
  });

  test('indexes filter by value, prefix and range', () => {
    const from = (value: number) => ({ tag: 'included', value }) as const;
    const past = (value: number) => ({ tag: 'excluded', value }) as const;
    expect(inside(({ db }) => names(db.user.score.filter(20)))).toBe('bob');
    expect(inside(({ db }) => names(db.user.score.filter(new Range(from(10), past(30)))))).toBe('ada bob');
    expect(inside(({ db }) => names(db.user.score.filter(new Range(past(10)))))).toBe('bob cyd');
    expect(inside(({ db }) => names(db.user.score.filter(new Range(null, from(10)))))).toBe('ada');
    expect(inside(({ db }) => names(db.user.byTeam.filter(1)))).toBe('ada bob');
    expect(inside(({ db }) => names(db.user.byTeam.filter([1, 20])))).toBe('bob');
    expect(inside(({ db }) => names(db.user.byTeam.filter([1, new Range(past(10))])))).toBe('bob');
    expect(inside(({ db }) => names(db.user.byTeam.filter(new Range(past(1)))))).toBe('cyd');
    expect(inside(({ db }) => names(db.user.byNick.filter('b')))).toBe('bob cyd');
    expect(inside(({ db }) => [db.user.byNick.delete('b'), names(db.user)])).toEqual([2, 'ada']);
    expect(inside(({ db }) => [db.user.score.delete(new Range(past(10))), names(db.user)])).toEqual([
      2,
      'ada',
    ]);
  });

  test('iterators have the helpers of the platform', () => {
    const user_ = (ctx: Ctx) => ctx.db.user.iter();
    expect(
      inside((c) =>
        user_(c)
          .filter((row) => row.team === 1)
          .map((row) => row.name)
          .toArray(),
      ),
    ).toEqual(['ada', 'bob']);
    expect(
      inside((c) => [user_(c).some((row) => row.score > 25), user_(c).every((row) => row.score > 25)]),
    ).toEqual([true, false]);
    expect(inside((c) => user_(c).find((row) => row.score > 15)?.name)).toBe('bob');
    expect(inside((c) => user_(c).reduce((sum, row) => sum + row.score, 0))).toBe(60);
    expect(inside((c) => names(user_(c).drop(1).take(1)))).toBe('bob');
    expect(
      inside((c) =>
        user_(c)
          .flatMap((row) => [row.name, row.nick])
          .toArray()
          .join(''),
      ),
    ).toBe('adaabobbcydb');
  });

  test('rows may be deleted while they are iterated', () => {
    expect(
      inside(({ db }) => {
        for (const row of db.user) db.user.id.delete(row.id);
        return db.user.count();
      }),
    ).toBe(0n);
  });

  test('changing a row in hand changes nothing stored until it is put back', () => {
    expect(
      inside(({ db }) => {
        const row = db.user.id.find(1n)!;
        row.name = 'changed';
        const before = [db.user.id.find(1n)?.name, names(db.user)];
        db.user.id.update(row);
        return [...before, db.user.id.find(1n)?.name, db.user.name.find('ada')];
      }),
    ).toEqual(['ada', 'ada bob cyd', 'changed', null]);
  });

  test('nor does changing an array that is in a row', () => {
    expect(
      inside(({ db }) => {
        const tags = ['a'];
        const inserted = db.note.insert({ tags });
        tags.push('b');
        inserted.tags.push('c');
        for (const row of db.note) row.tags.push('d');
        return [...db.note].map((row) => row.tags);
      }),
    ).toEqual([['a']]);
  });

  test('rows that do not fit are refused with the column', () => {
    expect(() => inside(({ db }) => db.user.insert({ ...ada, name: 7 } as never))).toThrow(/name/);
    expect(() => inside(({ db }) => db.user.insert({ ...ada, nam: 'x' } as never))).toThrow(/nam/);
  });
});

describe('context', () => {
  function contextOf<R>(read: (ctx: Ctx) => R, caller = client(7n)): R {
    let result: R;
    const outcome = hostOf((ctx) => void (result = read(ctx))).call('go', {}, caller);
    expect(outcome.kind).toBe('committed');
    return result!;
  }

  test('says who calls, from where and when', () => {
    const caller = client(7n);
    expect(contextOf((ctx) => ctx.sender, caller)).toBe(caller.identity);
    expect(contextOf((ctx) => ctx.connectionId, caller)).toBe(caller.connectionId);
    expect(contextOf((ctx) => ctx.connectionId, { ...caller, connectionId: undefined })).toBeNull();
    expect(contextOf((ctx) => [ctx.identity, ctx.databaseIdentity])).toEqual([DATABASE, DATABASE]);
    expect(contextOf((ctx) => ctx.timestamp.toISOString())).toBe('2023-11-14T22:13:20.000000Z');
    expect(contextOf((ctx) => ctx.timestamp === ctx.timestamp)).toBe(true);
  });

  test('senderAuth reads the claims of the token', () => {
    const payload = '{"iss":"https://x","sub":"me","aud":["a","b"],"extra":{"n":1}}';
    const caller = client(7n, payload);
    expect(contextOf((ctx) => ({ ...ctx.senderAuth.jwt! }), caller)).toEqual({
      rawPayload: payload,
      subject: 'me',
      issuer: 'https://x',
      audience: ['a', 'b'],
      identity: caller.identity,
      fullPayload: JSON.parse(payload),
    });
    expect(contextOf((ctx) => ctx.senderAuth.jwt!.audience, client(7n, '{"aud":"one"}'))).toEqual(['one']);
    expect(
      contextOf((ctx) => [ctx.senderAuth.hasJWT, ctx.senderAuth.isInternal, ctx.senderAuth.jwt]),
    ).toEqual([false, false, null]);
    expect(contextOf((ctx) => ctx.senderAuth.isInternal, { ...client(7n), connectionId: undefined })).toBe(
      true,
    );
  });

  test('random numbers repeat for the same place in the log and differ for the next', () => {
    const app = makeSchema();
    const seen: number[] = [];
    const go = app.reducer((ctx) => {
      seen.push(ctx.random(), ctx.random());
      ctx.db.user.insert({ ...ada, name: String(seen.length) });
    });
    const module = app.module({ go });
    const first = new HostFixture(module);
    first.call('go');
    first.call('go');
    new HostFixture(module).call('go');
    expect(new Set(seen).size).toBe(4);
    expect(seen.slice(4)).toEqual(seen.slice(0, 2));
  });

  test('version 7 UUIDs are in the order in which they were made, across calls', () => {
    const app = makeSchema();
    const made: Uuid[] = [];
    const go = app.reducer((ctx) => void made.push(ctx.newUuidV7(), ctx.newUuidV7()));
    const fixture = new HostFixture(app.module({ go }));
    fixture.call('go');
    fixture.call('go');
    const texts = made.map(String);
    expect(texts).toEqual(texts.toSorted());
    expect(new Set(texts).size).toBe(4);
    expect(contextOf((ctx) => ctx.newUuidV4().getVersion())).toBe('V4');
    expect(made[0]!.getVersion()).toBe('V7');
  });
});

describe('replacing', () => {
  test('a module with the same tables, and perhaps more, can take over; another says what differs', () => {
    const app = makeSchema();
    const fixture = new HostFixture(app.module({ go: app.reducer(() => {}) }));
    const next = makeSchema();
    expect(fixture.host.canReplace(next.module({ other: next.reducer({ a: t.u8() }, () => {}) }))).toEqual({
      kind: 'possible',
    });
    const changed = schema({
      user: table({ public: true }, { id: t.u64().primaryKey().autoInc(), name: t.u32(), extra: t.u8() }),
      fresh: table({}, { x: t.u8() }),
    });
    expect(fixture.host.canReplace(changed.module({}))).toEqual({
      kind: 'schemaChanged',
      changes: [
        'table `note` is gone',
        'table `user`: column `team` is gone',
        'table `user`: column `score` is gone',
        'table `user`: column `nick` is gone',
        'table `user`: column `extra` is new',
        'table `user`: column `name` has changed',
      ],
    });
    const grown = schema({ fresh: table({}, { x: t.object('X', { y: t.u8() }) }), user, note });
    expect(fixture.host.canReplace(grown.module({}))).toEqual({ kind: 'possible' });
    const reordered = schema({ user, note: table({ public: true }, note.rowType) });
    expect(fixture.host.canReplace(reordered.module({}))).toEqual({
      kind: 'schemaChanged',
      changes: ['table `note`: its indexes, constraints, order or access have changed'],
    });
  });

  test('the next host goes on with the rows of the one before', () => {
    const app = makeSchema();
    const fixture = new HostFixture(app.module({ add: app.reducer((ctx) => void ctx.db.user.insert(ada)) }));
    fixture.call('add');
    const next = makeSchema();
    let found: unknown;
    const look = next.reducer(
      { tag: t.enum('New', ['A']) },
      (ctx) => void (found = ctx.db.user.name.find('ada')?.id),
    );
    const host = fixture.hostOf(next.module({ look }));
    fixture.database.replaceSchema(next.module({ look }).def.schema);
    expect(host.callReducer('look', client(1n), new Uint8Array([0])).kind).toBe('committed');
    expect(found).toBe(1n);
  });
});
