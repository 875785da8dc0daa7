import { expect, test } from 'vitest';
import { loadModule } from '../../../src/module/load-module.js';
import {
  generateTypeScript,
  moduleDefFromSchemaJson,
} from '../../../src/protocols/spacetimedb/codegen/index.js';
import { readOrUpdate } from '../../../src/protocols/spacetimedb/codegen/testing/committed.js';
import { encodeModuleDefV10Json } from '../../../src/protocols/spacetimedb/server/schema/module-def-v10.js';
import { encodeModuleDefV9Json } from '../../../src/protocols/spacetimedb/server/schema/module-def-v9.js';
import * as probe from './module.js';

// UPDATE_GENERATED=1 writes them anew.
test.each(['chorale', 'spacetimedb'] as const)('the bindings for %s are those of the module', (sdk) => {
  const files = generateTypeScript(loadModule(probe).def, { sdk });
  for (const [name, text] of files) expect(readOrUpdate(`probe-${sdk}/${name}`, text), name).toBe(text);
});

test.each([
  ['9', encodeModuleDefV9Json],
  ['10', encodeModuleDefV10Json],
])('the schema that a server answers in version %s gives the same bindings', (version, encode) => {
  const { def } = loadModule(probe);
  const fromSchema = generateTypeScript(moduleDefFromSchemaJson(encode(def)), { sdk: 'chorale' });
  const local = new Map(generateTypeScript(def, { sdk: 'chorale' }));
  // Version 9 cannot say that a table is an event table.
  if (version === '9') local.set('index.ts', local.get('index.ts')!.replace('    event: true,\n', ''));
  expect(Object.fromEntries(fromSchema)).toEqual(Object.fromEntries(local));
});
