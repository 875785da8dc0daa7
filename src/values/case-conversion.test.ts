import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCamelCase, toPascalCase, toSnakeCase, toTitleCase } from './case-conversion.js';

describe('case conversion', () => {
  it.each([
    ['insert_one_u8', 'insert_one_u_8'],
    ['oneU8', 'one_u_8'],
    ['FruitBasket', 'fruit_basket'],
    ['HTTPServer', 'http_server'],
    ['sendMessage', 'send_message'],
    ['kebab-case name', 'kebab_case_name'],
    ['__lead__ing__', 'lead_ing'],
    ['U256', 'u_256'],
    ['vec3d', 'vec_3_d'],
    ['ID', 'id'],
    ['userID', 'user_id'],
    ['ÜberName', 'über_name'],
    ['', ''],
  ])('%s becomes %s', (given, snake) => {
    expect(toSnakeCase(given)).toBe(snake);
  });

  it.each([
    ['send_message', 'sendMessage', 'SendMessage'],
    ['Interval', 'interval', 'Interval'],
    ['HTTPServer', 'httpServer', 'HttpServer'],
    ['one_u8', 'oneU8', 'OneU8'],
    ['', '', ''],
  ])('%s becomes %s and %s', (given, camel, pascal) => {
    expect(toCamelCase(given)).toBe(camel);
    expect(toPascalCase(given)).toBe(pascal);
  });

  it.each([
    ['user', 'User'],
    ['online_user', 'OnlineUser'],
    ['one_u_8', 'OneU8'],
    ['one_u8x', 'OneU8X'],
    ['onlineUser', 'Onlineuser'],
  ])('%s becomes %s in Python', (given, title) => expect(toTitleCase(given)).toBe(title));

  it('a snake_case name stays as it is', () => {
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[A-Za-z0-9_ -]*$/));
    fc.assert(
      fc.property(name, (text) => {
        expect(toSnakeCase(toSnakeCase(text))).toBe(toSnakeCase(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('a camelCase or PascalCase name of words longer than a letter stays as it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,6}([_ ][A-Za-z][a-z]{1,5}){0,4}$/), (text) => {
        expect(toCamelCase(toCamelCase(text))).toBe(toCamelCase(text));
        expect(toPascalCase(toPascalCase(text))).toBe(toPascalCase(text));
      }),
    );
  });
});
