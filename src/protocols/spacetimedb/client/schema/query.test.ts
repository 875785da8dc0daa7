import { expect, test } from 'vitest';
import { Identity } from '../../../../values/identity.js';
import { Timestamp } from '../../../../values/timestamp.js';
import { makeQueryBuilder } from './query.js';
import { schema, table } from './remote-module.js';
import { t } from './type-builders.js';

const { event } = makeQueryBuilder(
  schema({
    event: table(
      { name: 'event' },
      {
        who: t.identity(),
        sent: t.timestamp().name('sent_at'),
        count: t.u64(),
        ratio: t.f64(),
        text: t.string(),
        other: t.string(),
        isLoud: t.bool(),
      },
    ),
  }).schemaType,
);
const me = new Identity(1n);
const row = {
  who: new Identity(1n),
  sent: new Timestamp(1000n),
  count: 10n,
  ratio: 0.5,
  text: 'é',
  other: 'b',
  isLoud: true,
};

test.each([
  ['all', event, true],
  ['an identity', event.where((r) => r.who.eq(me)), true],
  ['another identity', event.where((r) => r.who.ne(me)), false],
  ['a time', event.where((r) => r.sent.lt(new Timestamp(1001n))), true],
  ['a large number', event.where((r) => r.count.gte(11n)), false],
  ['a float', event.where((r) => r.ratio.lte(0.5)), true],
  ['a text as bytes', event.where((r) => r.text.gt('z')), true],
  ['another column', event.where((r) => r.text.gt(r.other)), true],
  ['a flag', event.where((r) => r.isLoud), true],
  ['not', event.where((r) => r.text.eq('é').not()), false],
  ['and', event.where((r) => r.text.eq('é').and(r.isLoud.eq(false))), false],
  ['or', event.where((r) => r.text.eq('x').or(r.isLoud.eq(true))), true],
  ['where twice', event.where((r) => r.isLoud).where((r) => r.count.eq(9n)), false],
] as const)('a query can tell whether a row is its own: %s', (_, query, expected) => {
  expect(query.matches(row)).toBe(expected);
});

test('floats compare as in SQL, not as keys', () => {
  const query = event.where((r) => r.ratio.eq(0));
  expect([query.matches({ ...row, ratio: -0 }), query.matches({ ...row, ratio: Number.NaN })]).toEqual([
    true,
    false,
  ]);
});

test('the SQL says the same', () => {
  expect(event.where((r) => r.sent.lt(new Timestamp(0n)).or(r.isLoud.eq(true))).toSql()).toBe(
    `SELECT * FROM "event" WHERE ("event"."sent_at" < '1970-01-01T00:00:00.000000Z') OR ("event"."isLoud" = TRUE)`,
  );
});
