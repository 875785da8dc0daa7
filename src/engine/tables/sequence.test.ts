import { describe, expect, test } from 'vitest';
import { primitiveType } from '../../values/algebraic-type.js';
import type { PrimitiveKind } from '../../values/algebraic-type.js';
import { Database } from '../database.js';
import { EngineError } from '../errors.js';
import type { SequenceDef } from '../schema.js';
import { RecordingLog, tableDef, TEST_ORIGIN, testOptions } from '../testing/table-def.js';
import { SEQUENCE_BLOCK } from './sequence.js';

function open(kind: PrimitiveKind, sequence: Partial<SequenceDef> = {}) {
  const def = tableDef('item', {
    columns: { id: primitiveType(kind), n: primitiveType('u32') },
    primaryKey: 'id',
    autoInc: 'id',
  });
  const sequences = [{ ...def.sequences[0]!, ...sequence }];
  const schema = { typespace: { types: [def.rowType] }, tables: [{ ...def, sequences }] };
  const log = new RecordingLog();
  const database = new Database(schema, testOptions(log));
  const item = database.table('item');
  const zero = /8|16|32/.test(kind) ? 0 : 0n;
  const insert = (id: number | bigint = zero): unknown =>
    database.transact(TEST_ORIGIN, () => item.insert({ id, n: 7 })).result['id'];
  return { schema, log, database, item, insert };
}

describe('an autoInc column', () => {
  test('counts from 1 where the row has 0', () => {
    const { insert } = open('u64');
    expect([insert(), insert(), insert()]).toEqual([1n, 2n, 3n]);
  });

  test('gives numbers in narrow columns', () => {
    expect(open('i32').insert()).toBe(1);
  });

  test('is not moved on by a value somebody chose, and then meets it', () => {
    const { insert } = open('u64');
    expect(insert(2n)).toBe(2n);
    expect(insert()).toBe(1n);
    expect(insert).toThrow('a row with id = 2 exists already');
    expect(insert()).toBe(3n);
  });

  test('does not give a value again that was rolled back', () => {
    const { database, item, insert } = open('u64');
    expect(() =>
      database.transact(TEST_ORIGIN, () => {
        item.insert({ id: 0n, n: 1 });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(insert()).toBe(2n);
  });

  test('gives the last value of its type, and then AutoIncOverflow', () => {
    const { insert } = open('u8', { start: 254n });
    expect([insert(), insert()]).toEqual([254, 255]);
    const overflow = (): EngineError => {
      try {
        insert();
      } catch (error) {
        return error as EngineError;
      }
      throw new Error('no error');
    };
    expect(overflow()).toMatchObject({ code: 'AutoIncOverflow', errno: 16 });
    expect(overflow().message).toBe('table `item`: no values are left for autoInc column `id` (1 to 255)');
  });

  test('stops at a declared maximum', () => {
    const { insert } = open('u64', { maxValue: 2n });
    expect([insert(), insert()]).toEqual([1n, 2n]);
    expect(insert).toThrow(EngineError);
  });

  test('counts in steps, downwards too, and never gives 0', () => {
    const upwards = open('u64', { start: 10n, increment: 5n });
    expect([upwards.insert(), upwards.insert()]).toEqual([10n, 15n]);
    const downwards = open('i64', { increment: -1n });
    expect([downwards.insert(), downwards.insert()]).toEqual([-1n, -2n]);
    const across = open('i8', { start: -1n, minValue: -1n });
    expect([across.insert(), across.insert()]).toEqual([-1, 1]);
  });

  test('is refused where it can give nothing', () => {
    expect(() => open('u8', { start: 300n })).toThrow('gives no value within 1 to 255');
    expect(() => open('u64', { increment: 0n })).toThrow('a step of 0');
    expect(() => open('string')).toThrow('autoInc needs an integer column, not string');
  });

  test('fills a zero in an update, except in the column that finds the row', () => {
    const def = tableDef('item', {
      columns: { id: primitiveType('u32'), revision: primitiveType('u64') },
      primaryKey: 'id',
      autoInc: 'revision',
    });
    const database = new Database({ typespace: { types: [] }, tables: [def] }, testOptions());
    const item = database.table('item');
    database.transact(TEST_ORIGIN, () => {
      expect(item.insert({ id: 5, revision: 0n })).toEqual({ id: 5, revision: 1n });
      expect(item.update({ id: 5, revision: 0n })).toEqual({ id: 5, revision: 2n });
    });
    const { item: keyed, database: other } = open('u64');
    expect(() => other.transact(TEST_ORIGIN, () => keyed.update({ id: 0n, n: 1 }))).toThrow(
      'there is no row with id = 0 to update',
    );
  });
});

describe('the log', () => {
  test('hears once per 4096 values, and a database restored from it goes on behind them', () => {
    const { schema, log, database, item, insert } = open('u64');
    insert();
    insert();
    expect(log.records.map((record) => record.sections?.length)).toEqual([1, 0]);
    database.transact(TEST_ORIGIN, () => {
      for (let i = 0; i < Number(SEQUENCE_BLOCK); i++) item.insert({ id: 0n, n: 1 });
    });
    expect(log.records[2]?.sections).toHaveLength(1);

    const restored = new Database(schema, testOptions());
    for (const logged of log.records) restored.applyChanges(logged);
    const next = restored.transact(TEST_ORIGIN, () => restored.table('item').insert({ id: 0n, n: 1 })).result;
    expect(next['id']).toBe(2n * SEQUENCE_BLOCK + 1n);
  });

  test('hears again of values whose transaction it refused', () => {
    const { log, insert } = open('u64');
    log.refusal = new Error('disk full');
    expect(insert).toThrow('disk full');
    log.refusal = undefined;
    expect(insert()).toBe(2n);
    expect(log.records[0]?.sections).toHaveLength(1);
  });
});
