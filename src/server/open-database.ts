import { assert } from '../base/assert.js';
import { DocumentStore, type DocumentStoreOptions } from '../documents/document-store.js';
import { Shelf } from '../documents/shelf.js';
import type { DatabaseOptions } from '../engine/contract.js';
import { Database } from '../engine/database.js';
import type { DatabaseSchema } from '../engine/schema.js';
import { MergeThread } from './merge-thread.js';
import { ScratchFile } from './scratch-file.js';

const documentsByDatabase = new WeakMap<Database, DocumentStore>();

/** Where documents keep what need not be in memory; memory itself when it is left out. */
export interface Scratch {
  readonly folder: string;
  readonly onError: (error: unknown, where: string) => void;
}

/** A database with its documents, which share its log. */
export function openDatabase(schema: DatabaseSchema, options: DatabaseOptions, scratch?: Scratch): Database {
  const database = new Database(schema, options);
  const documents = new DocumentStore(scratch === undefined ? {} : storeOptions(scratch));
  database.addKeeper(documents);
  documents.attachLog({
    append: (bytes, { identity: caller, connectionId }) => {
      const timestampMicros = options.clock.nowMicros();
      const origin = { caller, connectionId, functionName: 'room', timestampMicros };
      return { offset: database.logSection(origin, { kind: documents.kind, bytes }), timestampMicros };
    },
    get durableOffset() {
      return database.log.durableOffset;
    },
  });
  documentsByDatabase.set(database, documents);
  return database;
}

function storeOptions({ folder, onError }: Scratch): DocumentStoreOptions {
  const file = new ScratchFile(folder, (error) => onError(error, 'the scratch file of documents'));
  const merger = new MergeThread((error) => onError(error, 'the thread that merges documents'));
  return { shelf: new Shelf(file), merger, onError };
}

export function documentsOf(database: Database): DocumentStore {
  const documents = documentsByDatabase.get(database);
  assert(documents !== undefined, 'the database was opened with its documents');
  return documents;
}
