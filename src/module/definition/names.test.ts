import fc from 'fast-check';
import { expect, test } from 'vitest';
import { schema } from '../schema.js';
import { table } from '../table.js';
import { t } from '../types/t.js';
import { DefinitionError } from './definition-error.js';

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '"',
    '`',
    "a'b",
    'a\nb',
    '${x}',
    'a]',
    '_',
    '__',
    'é',
    ' a',
  ),
);

/** Object keys as authors may compute them; `{ [name]: … }` would lose `__proto__`. */
function record<T>(name: string, value: T): Record<string, T> {
  return Object.defineProperty({}, name, { value, enumerable: true }) as Record<string, T>;
}

function namesOf(build: () => ReturnType<ReturnType<typeof schema>['module']>): string[] {
  const { def } = build();
  return [
    ...def.schema.tables.flatMap((one) => [
      one.name,
      one.sourceName,
      ...one.columns.flatMap((column) => [column.name, column.property]),
      ...one.indexes.flatMap((index) => [index.name, index.accessor ?? 'x']),
      ...one.uniqueConstraints.map((constraint) => constraint.name),
    ]),
    ...def.reducers.flatMap((one) => [one.name, ...one.params.elements.map((element) => element.name!)]),
    ...def.namedTypes.map((one) => one.name),
  ];
}

test('a name anywhere is an identifier in the definition, or the module is refused', () => {
  const builders: ((name: string) => () => ReturnType<ReturnType<typeof schema>['module']>)[] = [
    (name) => () => schema(record(name, table({}, { x: t.u8() }))).module({}),
    (name) => () => schema({ a: table({ name }, { x: t.u8() }) }).module({}),
    (name) => () => schema({ a: table({}, record(name, t.u8().unique())) }).module({}),
    (name) => () => schema({ a: table({}, { x: t.u8().name(name).index() }) }).module({}),
    (name) => () => schema({ a: table({}, { x: t.object(name, { y: t.u8() }) }) }).module({}),
    (name) => () => schema({ a: table({}, { x: t.enum(name, ['A']) }) }).module({}),
    (name) => () => schema({ a: table({}, { x: t.enum('E', [name]) }) }).module({}),
    (name) => () => {
      const app = schema({});
      return app.module(
        record(
          name,
          app.reducer(() => {}),
        ),
      );
    },
    (name) => () => {
      const app = schema({});
      return app.module({ go: app.reducer(record(name, t.u8()), () => {}) });
    },
    (name) => () =>
      schema({
        a: table({ indexes: [{ accessor: name, name, algorithm: 'btree', columns: ['x'] }] }, { x: t.u8() }),
      }).module({}),
  ];
  fc.assert(
    fc.property(anyName, fc.constantFrom(...builders), (name, builder) => {
      try {
        for (const found of namesOf(builder(name))) {
          expect(found).toMatch(IDENTIFIER);
          expect(found).not.toBe('__proto__');
        }
      } catch (error) {
        expect(error).toBeInstanceOf(DefinitionError);
      }
    }),
    { numRuns: 2000 },
  );
});
