export { generateAsyncPackage } from './generate-async-package.js';
export { generatePython } from './generate-python.js';
export { generateTypeScript } from './generate-typescript.js';
export type { ClientSdk, GenerateOptions } from './generate-typescript.js';
export { CodegenError } from './names.js';
export { moduleDefFromSchemaJson } from './module-def-from-schema.js';
