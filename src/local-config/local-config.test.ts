import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

type Module = typeof import('./index.js');

let home: string;
let localConfig: Module;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'chorale-home-'));
  vi.resetModules();
  localConfig = await import('./index.js');
});

afterEach(() => {
  chmodSync(home, 0o700);
  rmSync(home, { recursive: true });
});

const start = (...args: string[]): void => localConfig.init('.chat', { homeDirectory: home, args });

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  return 'nothing was thrown';
}

test('a string is there again in the next run', () => {
  start();
  expect(localConfig.getString('auth_token')).toBeUndefined();
  localConfig.setString('auth_token', 'T1');
  localConfig.setString('name', 'Ada "the first"\n');
  expect(localConfig.getString('auth_token')).toBe('T1');
  start();
  expect(localConfig.getString('auth_token')).toBe('T1');
  expect(localConfig.getString('name')).toBe('Ada "the first"\n');
});

test('only its owner can read the file, also when it was open to others before', () => {
  start();
  localConfig.setString('auth_token', 'T1');
  const path = join(home, '.chat', 'settings.json');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, '.chat')).mode & 0o777).toBe(0o700);
  chmodSync(path, 0o644);
  localConfig.setString('auth_token', 'T2');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(home, '.chat'))).toEqual(['settings.json']);
});

test('--client N has a file of its own', () => {
  start();
  localConfig.setString('auth_token', 'first');
  for (const args of [
    ['--client', '2'],
    ['--verbose', '--client=2'],
  ]) {
    start(...args);
    localConfig.setString('auth_token', `second ${args[0]}`);
  }
  start('--', '--client', '2');
  expect(localConfig.getString('auth_token')).toBe('first');
  expect(readdirSync(join(home, '.chat')).toSorted()).toEqual(['settings-2.json', 'settings.json']);
});

test('keys that objects have by themselves are keys like others', () => {
  start();
  expect(localConfig.getString('constructor')).toBeUndefined();
  localConfig.setString('__proto__', 'x');
  start();
  expect(localConfig.getString('__proto__')).toBe('x');
});

describe('clear errors', () => {
  test('before init', () => {
    expect(codeOf(() => localConfig.getString('a'))).toMatch(/^NOT_INITIALISED: call localConfig.init/);
    expect(codeOf(() => localConfig.setString('a', 'b'))).toMatch(/^NOT_INITIALISED/);
  });

  test.each(['', '.', '/etc', '../elsewhere', 'a/../../b', 'a\0b'])('the directory %j', (directory) => {
    expect(codeOf(() => localConfig.init(directory, { homeDirectory: home, args: [] }))).toMatch(
      /^BAD_NAME: the directory is a folder below your home/,
    );
    expect(readdirSync(home)).toEqual([]);
  });

  test.each([['--client'], ['--client', '../x'], ['--client='], ['--client', '--other'], ['--client', 'a'.repeat(65)]])(
    'the arguments %j',
    (...args) => {
      expect(codeOf(() => start(...args))).toMatch(/^BAD_NAME: --client takes a number/);
    },
  ); // prettier-ignore

  test('a name of 64 characters is the longest', () => {
    start('--client', 'a'.repeat(64));
    localConfig.setString('a', 'b');
    expect(localConfig.getString('a')).toBe('b');
  });

  test.each(['', '[]', '{"a": 1}', '{"a": "b"', 'null'])('a damaged file: %j', (text) => {
    mkdirSync(join(home, '.chat'));
    writeFileSync(join(home, '.chat', 'settings.json'), text);
    expect(codeOf(() => start())).toMatch(/^NOT_READABLE: .*settings\.json is damaged/);
  });

  test('a file where the folder should be', () => {
    writeFileSync(join(home, '.chat'), '');
    expect(codeOf(() => start())).toMatch(/^NOT_ACCESSIBLE: cannot make the folder in .*EEXIST/);
  });

  test('a home that is read-only', () => {
    chmodSync(home, 0o555);
    expect(asNobody(() => codeOf(() => start()))).toMatch(
      /^NOT_ACCESSIBLE: cannot make the folder in .*EACCES/,
    );
  });

  test('a folder that is read-only: what was there can be read, and stays', () => {
    start();
    localConfig.setString('auth_token', 'T1');
    chmodSync(join(home, '.chat', 'settings.json'), 0o444);
    chmodSync(join(home, '.chat'), 0o555);
    chmodSync(home, 0o555);
    const error = asNobody(() => {
      start();
      return codeOf(() => localConfig.setString('auth_token', 'T2'));
    });
    expect(error).toMatch(/^NOT_ACCESSIBLE: cannot write the settings in .*EACCES.*Make the folder writable/);
    expect(localConfig.getString('auth_token')).toBe('T1');
    chmodSync(join(home, '.chat'), 0o700);
    expect(readdirSync(join(home, '.chat'))).toEqual(['settings.json']);
  });
});

/** The superuser may write everywhere, so that he has to be somebody else for a while. */
function asNobody<R>(call: () => R): R {
  if (process.getuid?.() !== 0) return call();
  process.seteuid!(65_534);
  try {
    return call();
  } finally {
    process.seteuid!(0);
  }
}
