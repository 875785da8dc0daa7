import { describe, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.js';
import { Identity } from '../values/identity.js';
import { Timestamp } from '../values/timestamp.js';
import { encodeLogLine, ModuleLog } from './logs.js';
import { makeModuleConsole } from './module-console.js';

function makeLog(options: { entriesMax?: number; charactersMax?: number } = {}) {
  const clock = new ManualClock(1_000_000);
  const log = new ModuleLog({ clock, ...options });
  const print = makeModuleConsole({
    log,
    monotonicMs: () => clock.monotonicMs(),
    findPlace: () => undefined,
  });
  return {
    clock,
    log,
    console: print,
    messages: () => log.tail().map((entry) => `${entry.level} ${entry.message}`),
  };
}

describe('the ring', () => {
  test('keeps the last entries, up to its number', () => {
    const { log, messages } = makeLog({ entriesMax: 3 });
    for (let i = 1; i <= 3; i++) log.write('Info', String(i));
    expect(messages()).toEqual(['Info 1', 'Info 2', 'Info 3']);
    for (let i = 4; i <= 20; i++) log.write('Info', String(i));
    expect(messages()).toEqual(['Info 18', 'Info 19', 'Info 20']);
    expect(log.tail(2).map((entry) => entry.message)).toEqual(['19', '20']);
    expect(log.tail(0)).toEqual([]);
  });

  test('keeps messages up to its number of characters, and always the last one', () => {
    const { log, messages } = makeLog({ charactersMax: 10 });
    log.write('Info', 'aaaaa');
    log.write('Info', 'bbbbb');
    expect(log.size).toBe(2);
    log.write('Info', 'c');
    expect(messages()).toEqual(['Info bbbbb', 'Info c']);
    log.write('Info', 'd'.repeat(50));
    expect(log.size).toBe(1);
  });

  test('a long message is cut and says so', () => {
    const { log } = makeLog();
    log.write('Info', 'x'.repeat(65_536));
    log.write('Info', 'x'.repeat(65_540));
    const [whole, cut] = log.tail();
    expect(whole!.message).toHaveLength(65_536);
    expect(cut!.message.endsWith('… (4 more characters)')).toBe(true);
  });

  test('a follower hears what comes later, until it stops', () => {
    const { log } = makeLog();
    const heard: string[] = [];
    log.write('Info', 'before');
    const stop = log.follow((entry) => heard.push(entry.message));
    log.write('Info', 'one');
    stop();
    log.write('Info', 'two');
    expect(heard).toEqual(['one']);
  });
});

test('a line is one JSON object without absent fields', () => {
  const { log } = makeLog();
  log.currentFunction = 'send_message';
  log.write('Warn', 'line\nbreak', { filename: 'src/index.ts', line: 3 });
  log.writeSystem('Error', 'full');
  expect(log.tail().map(encodeLogLine)).toEqual([
    '{"level":"Warn","ts":1000000,"filename":"src/index.ts","line_number":3,"function":"send_message","message":"line\\nbreak"}\n',
    '{"level":"Error","ts":1000000,"target":"__spacetimedb__","filename":"__spacetimedb__","function":"__spacetimedb__","message":"full"}\n',
  ]);
  expect(encodeLogLine({ level: 'Info', ts: 1, message: 'm' })).toBe(
    '{"level":"Info","ts":1,"message":"m"}\n',
  );
});

describe('console', () => {
  test('each method has its level and formats as Node does', () => {
    const { console: print, messages } = makeLog();
    print.log('%s is %d', 'x', 7);
    print.info({ a: 1n });
    print.warn('careful');
    print.error(new Error('broken').message);
    print.debug([1, 2]);
    print.trace('here');
    print.assert(true, 'never');
    print.assert(false, 'no');
    expect(messages()).toEqual([
      'Info x is 7',
      'Info { a: 1n }',
      'Warn careful',
      'Error broken',
      'Debug [ 1, 2 ]',
      'Trace here',
      'Error Assertion failed: no',
    ]);
  });

  test('identities and times are readable, also as columns of a row', () => {
    const { console: print, log } = makeLog();
    const identity = new Identity(0xabn);
    print.log(identity, { identity, at: Timestamp.UNIX_EPOCH });
    const { message } = log.tail()[0]!;
    expect(message.startsWith(identity.toHexString())).toBe(true);
    expect(message).toContain('1970-01-01T00:00:00.000000Z');
    expect(message.split(identity.toHexString())).toHaveLength(3);
  });

  test('time and count keep labels apart', () => {
    const { clock, console: print, messages } = makeLog();
    print.time('a');
    clock.advance(5);
    print.timeEnd('a');
    print.timeEnd('a');
    print.count();
    print.count();
    print.countReset();
    print.count();
    expect(messages()).toEqual([
      'Info a: 5.000 ms',
      'Info there is no timer `a`',
      'Info default: 1',
      'Info default: 2',
      'Info default: 1',
    ]);
  });
});
