import { assert } from '../base/assert.js';
import { DocumentStore } from '../documents/document-store.js';
import type { DatabaseOptions } from '../engine/contract.js';
import { Database } from '../engine/database.js';
import type { DatabaseSchema } from '../engine/schema.js';

const documentsByDatabase = new WeakMap<Database, DocumentStore>();

/** A database with its documents, which share its log. */
export function openDatabase(schema: DatabaseSchema, options: DatabaseOptions): Database {
  const database = new Database(schema, options);
  const documents = new DocumentStore();
  database.addKeeper(documents);
  documents.attachLog({
    append: (bytes, { identity: caller, connectionId }) => {
      const timestampMicros = options.clock.nowMicros();
      const origin = { caller, connectionId, functionName: 'room', timestampMicros };
      const { commit } = database.transact(origin, () =>
        database.addSection({ kind: documents.kind, bytes }),
      );
      return { offset: commit.offset, timestampMicros };
    },
    get durableOffset() {
      return database.log.durableOffset;
    },
  });
  documentsByDatabase.set(database, documents);
  return database;
}

export function documentsOf(database: Database): DocumentStore {
  const documents = documentsByDatabase.get(database);
  assert(documents !== undefined, 'the database was opened with its documents');
  return documents;
}
