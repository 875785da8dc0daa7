import { Identity } from '../../../values/identity.js';
import { isDatabaseName, isIdentityText } from './catalog.js';
import type { Catalog } from './catalog.js';
import type { DatabaseRuntime } from './runtime.js';

export type FoundDatabase =
  | { readonly kind: 'found'; readonly database: DatabaseRuntime }
  | { readonly kind: 'absent'; readonly status: 400 | 404; readonly message: string };

/** The database that a path's `:name_or_identity` means. */
export function findDatabase(catalog: Catalog, text: string): FoundDatabase {
  if (isIdentityText(text)) {
    const database = catalog.findByIdentity(Identity.fromString(text.toLowerCase()));
    return database === undefined ? absent(404, 'No such database.') : { kind: 'found', database };
  }
  if (!isDatabaseName(text)) {
    return absent(400, `\`${text.slice(0, 80)}\` is not a database name: ${NAME_RULE}`);
  }
  const database = catalog.findByName(text);
  return database === undefined ? absent(404, `\`${text}\` not found`) : { kind: 'found', database };
}

export const NAME_RULE = 'lower-case letters and digits, with single hyphens between them';

function absent(status: 400 | 404, message: string): FoundDatabase {
  return { kind: 'absent', status, message };
}
