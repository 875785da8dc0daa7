/*
 * `chorale/server`: what the authors of modules import. Modules written for `spacetimedb/server` find the same names.
 */
export { ConnectionId, Identity } from '../values/identity.js';
export { ScheduleAt, TimeDuration, Timestamp } from '../values/timestamp.js';
export { Uuid } from '../values/uuid.js';
export { EngineError as SpacetimeHostError } from '../engine/errors.js';
export { errors, SenderError } from './errors.js';
export { Range } from './range.js';
export { CaseConversionPolicy, schema } from './schema.js';
export { table } from './table.js';
export { t } from './types/t.js';

export type { Bound } from './range.js';
export type {
  DbView,
  PointIndex,
  PrimaryKeyIndex,
  RangeIndex,
  SchemaShape,
  TableAccessor,
  TableMethods,
  UniqueIndex,
} from './db-view.js';
export type { Module } from './definition/build-module.js';
export type { AuthCtx, JsonObject, JsonValue, JwtClaims, ReducerCtx } from './reducer-ctx.js';
export type { ModuleExport, ReducerExport } from './reducer-export.js';
export type { IntegerArray, ReducerRandom as Random } from './reducer-random.js';
export type {
  RoomAccess,
  RoomContext,
  RoomDefinition,
  RoomHandle,
  RoomLimits,
  RoomUpdate,
} from '../documents/room-definition.js';
export type { RoomCtx, RoomHandlers } from './room.js';
export type { RowIterator } from './row-iterator.js';
export type { InferSchema, ModuleSettings, Reducer, ReducerOptions, Schema } from './schema.js';
export type { ConstraintOptions, IndexOptions, TableHandle, TableOptions } from './table.js';
export type { Infer, InferRow as InferTypeOfRow, RowShape } from './types/builders.js';

export type {
  RealmAnswer,
  RealmCtx,
  RealmHandlers,
  RealmRequest,
  RpcArguments,
  RpcCtx,
  RpcHandler,
  RpcOptions,
} from './rpc.js';
export type { ModuleSocket, SocketCtx, SocketHandlers } from './socket.js';
