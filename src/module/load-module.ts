import { DefinitionError } from './definition/definition-error.js';
import { buildModule } from './definition/build-module.js';
import type { Module } from './definition/build-module.js';
import { Schema } from './schema.js';

/**
 * Makes a module of the namespace of its file, as `import * as` or `import()` give it. Throws DefinitionError when the
 * default export is not the schema, something else is exported, or the definition contradicts itself.
 *
 * @example
 * const module = loadModule(await import('./chat/index.js'));
 */
export function loadModule(namespace: object): Module {
  const exports: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(namespace));
  const app = exports['default'];
  if (!(app instanceof Schema)) {
    throw new DefinitionError(
      'BAD_EXPORT',
      "the module's default export must be its schema: write `const app = schema({ … }); export default app;`",
    );
  }
  return buildModule(app, exports);
}
