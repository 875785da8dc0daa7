/* `chorale/react`: hooks for components. React is a peer dependency. */

export { SpacetimeDBProvider, useSpacetimeDB } from './context.js';
export type { SpacetimeDBProviderProps } from './context.js';
export type { AnyConnection, ConnectionState } from './connection-state.js';
export { useProcedure, useReducer } from './use-call.js';
export { useTable } from './use-table.js';
export type { UseTableCallbacks } from './use-table.js';
