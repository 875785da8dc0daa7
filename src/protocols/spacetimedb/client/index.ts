/* The SpacetimeDB client for browsers and Node. The package's entry is `src/client/database.ts`. */

export { DbConnectionImpl } from './connection/db-connection.js';
export { DbConnectionBuilder } from './connection/db-connection-builder.js';
export type { ReconnectOptions } from './connection/backoff.js';
export type { RemoteModuleOf, Timeouts } from './connection/db-connection-builder.js';
export type {
  DbContext, ErrorContextInterface, Event, EventContextInterface, ReducerEvent, ReducerEventContextInterface,
  ReducerOutcome, SubscriptionEventContextInterface,
} from './connection/event-context.js'; // prettier-ignore
export type { DbConnectionConfig, ReconnectedInfo, ReconnectingInfo } from './connection/options.js';
export { SubscriptionBuilderImpl } from './connection/subscription-builder.js';
export type { QueryLike } from './connection/subscription-builder.js';
export { SubscriptionHandleImpl } from './connection/subscription.js';
export type { ClientDbView, ClientTable, ProceduresView, ReducersView } from './connection/views.js';
export { SpacetimeDBAsyncClient } from './async/spacetimedb-async-client.js';
export type { AsyncClientOptions, OnConnect } from './async/spacetimedb-async-client.js';
export type { ConnectedAs, SpacetimeDBClient } from './async/spacetimedb-client.js';
export { SpacetimeDBException } from './async/spacetimedb-exception.js';
export type { SpacetimeDBExceptionCode } from './async/spacetimedb-exception.js';
export { SpacetimeDBScheduledEvent } from './async/scheduled-event.js';
export { ReducerCallEvent } from './async/reducer-call-event.js';
export type { ReducerStatus } from './async/reducer-call-event.js';
export { AsyncReducer, asyncReducer } from './async/async-reducer.js';
export type { ReducerCallback } from './async/async-reducer.js';
export { AsyncTable, asyncTable } from './async/async-table.js';
export type { RowOperation, RowUpdateCallback, TableFilters } from './async/async-table.js';
export { Range } from './cache/row-index.js';
export type { Bound } from './cache/row-index.js';
export { ConnectionError, consoleProblemLog, InternalError, SenderError } from './errors.js';
export type { ConnectionErrorCode, ProblemLevel, ProblemLog } from './errors.js';
export { BooleanExpr, ColumnExpr, makeQueryBuilder } from './schema/query.js';
export type { QueryBuilder, TableQuery } from './schema/query.js';
export {
  convertToAccessorMap, procedures, procedureSchema, reducers, reducerSchema, schema, table,
} from './schema/remote-module.js'; // prettier-ignore
export type {
  RemoteModule,
  RowOf,
  TableDef,
  UntypedProcedureDef,
  UntypedReducerDef,
  UntypedRemoteModule,
  UntypedTableDef,
} from './schema/remote-module.js';
export { TypeBuilder } from './schema/type-builder.js';
export type { Infer, InferRow, RowShape } from './schema/type-builder.js';
export { t } from './schema/type-builders.js';
export type { EngineTransports } from '../../../base/connecting.js';
export { memoryTransport } from './transport/memory.js';
export type { MemoryAccept, MemoryHandler, MemoryPeer } from './transport/memory.js';
export type {
  CloseInfo,
  OpenTransport,
  Transport,
  TransportEvents,
  TransportRequest,
} from './transport/transport.js';
export { ConnectionId, Identity } from '../../../values/identity.js';
export { ScheduleAt, TimeDuration, Timestamp } from '../../../values/timestamp.js';
export { Uuid } from '../../../values/uuid.js';
