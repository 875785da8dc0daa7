import { expect, test } from 'vitest';
import { encodeArguments, signature } from './call-arguments.js';
import { CliError } from './cli-error.js';
import { readSchema } from './schema-view.js';
import { CHAT_SCHEMA } from './testing/chat-schema.js';

const { tables, reducers } = readSchema(CHAT_SCHEMA);
const find = (name: string) => reducers.find((reducer) => reducer.name === name) ?? expect.fail(name);

test('tables are read with their types in the words of `t`', () => {
  const lines = tables.map(({ name, isPublic, columns }) =>
    [
      isPublic ? 'public' : 'private',
      name,
      ...columns.map((c) => [c.name, c.type, ...c.marks].join(' ')),
    ].join(' / '),
  );
  expect(lines).toEqual([
    'public / user / identity identity primary key / name option<string> / online bool',
    'private / message / id u64 primary key auto increment / at timestamp / kind Kind',
  ]);
});

test('reducers are read with their parameters', () => {
  expect(reducers.map(signature)).toEqual([
    'send_message(text: string)',
    'set_name(name: option<string>)',
    'move(id: u64, to: type 0, who: identity)',
    'init()',
  ]);
  expect(find('init').lifecycle).toBe('Init');
});

test.each([
  ['a bare word where text is wanted', 'send_message', ['hello there'], '["hello there"]'],
  ['JSON text where text is wanted', 'send_message', ['"say \\"hi\\""'], '["say \\"hi\\""]'],
  ['a number where text is wanted', 'send_message', ['42'], '["42"]'],
  ['a bare word where text may be', 'set_name', ['ada'], '[{"some":"ada"}]'],
])('%s becomes text', (_, name, words, json) => {
  expect(encodeArguments(find(name), words)).toBe(json);
});

test('large integers keep their digits, and identities may be bare', () => {
  const identity = 'c2'.repeat(32);
  const words = ['18446744073709551615', '{"x":1}', identity];
  expect(encodeArguments(find('move'), words)).toBe(`[18446744073709551615,{"x":1},["0x${identity}"]]`);
});

test.each([
  ['send_message', [], 'send_message takes 1 argument, got 0', 'It is send_message(text: string).'],
  ['move', ['1', '{x:1}', '[]'], '`to` is a type 0, and {x:1} is not JSON', 'Quote it for your shell'],
])('what cannot be sent is refused with the signature or a hint', (name, words, message, hint) => {
  const attempt = (): string => encodeArguments(find(name), words);
  expect(attempt).toThrow(CliError);
  expect(attempt).toThrow(
    expect.objectContaining({ message, hint: expect.stringContaining(hint), exitCode: 2 }),
  );
});

test('an answer that is no schema is said to be none', () => {
  expect(() => readSchema('<html>')).toThrow("the server's answer is not JSON: <html>");
  expect(() => readSchema('{"typespace":7}')).toThrow("the server's answer is not understood");
});
