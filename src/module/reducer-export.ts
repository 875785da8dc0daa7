import type { RoomDefinition } from '../documents/room-definition.js';
import type { Lifecycle } from './module-def.js';
import type { ReducerCtx } from './reducer-ctx.js';
import type { SchemaShape } from './db-view.js';
import type { ModuleProcedure, RealmHandlers } from './rpc.js';
import type { SocketHandlers } from './socket.js';
import type { TableHandle } from './table.js';
import type { InferRow, RowShape } from './types/builders.js';

/* What a module's file exports besides its schema. The export's name becomes the function's. */

export const moduleExport: unique symbol = Symbol('chorale.moduleExport');

/** A reducer as its author wrote it; the context's and arguments' types are the compiler's business. */
export type ReducerBody = (ctx: unknown, args: unknown) => unknown;

export interface ReducerEntry {
  readonly kind: 'reducer';
  /** The schema whose method made it. */
  readonly schema: object;
  readonly params: RowShape;
  readonly body: ReducerBody;
  /** The wire name, when the author gave one. */
  readonly name: string | undefined;
  readonly lifecycle: Lifecycle | undefined;
  /** The table whose due rows it handles. */
  readonly onSchedule: TableHandle | undefined;
}

export interface SocketEntry {
  readonly kind: 'socket';
  readonly schema: object;
  readonly path: string;
  readonly handlers: SocketHandlers<SchemaShape>;
}

export interface RpcEntry {
  readonly kind: 'rpc';
  readonly schema: object;
  readonly procedure: ModuleProcedure;
}

export interface RealmEntry {
  readonly kind: 'realm';
  readonly schema: object;
  readonly handlers: RealmHandlers<SchemaShape>;
}

/** Rooms of one kind; see documents/room-definition.ts. */
export interface RoomEntry {
  readonly kind: 'room';
  readonly schema: object;
  readonly pattern: string;
  readonly definition: RoomDefinition;
}

export interface GroupEntry {
  readonly kind: 'group';
  readonly members: Readonly<Record<string, ModuleExport>>;
}

export interface ModuleExport {
  readonly [moduleExport]: ReducerEntry | SocketEntry | RpcEntry | RealmEntry | RoomEntry | GroupEntry;
}

/** A reducer that can also be called by another one, within the same transaction. */
export interface ReducerExport<S extends SchemaShape, P extends RowShape> extends ModuleExport {
  (ctx: ReducerCtx<S>, args: InferRow<P>): void;
}

export function isModuleExport(value: unknown): value is ModuleExport {
  return (
    (typeof value === 'object' || typeof value === 'function') && value !== null && moduleExport in value
  );
}
