import type { RoomAccess, RoomContext, RoomDefinition } from '../documents/room-definition.js';
import type { SchemaShape } from './db-view.js';
import type { ReducerCtx } from './reducer-ctx.js';

/** Who asks for a room, and the tables, to be read only: what writes throws. Which tables were looked at is remembered. */
export type RoomCtx<S extends SchemaShape> = RoomContext &
  Pick<ReducerCtx<S>, 'databaseIdentity' | 'timestamp' | 'senderAuth' | 'db'>;

/** Rooms of one kind in a module. */
export interface RoomHandlers<S extends SchemaShape> extends Omit<RoomDefinition, 'authorize'> {
  /**
   * Default: everybody may write. Asked when somebody joins, and again for everybody in such rooms after a transaction that
   * changed a table that was looked at in `ctx.db`: at once, but ten times a second at most. What it throws denies.
   */
  authorize?(ctx: RoomCtx<S>, params: Readonly<Record<string, string>>): RoomAccess | Promise<RoomAccess>;
}
