import { createContext, createElement, useContext, useEffect, useSyncExternalStore } from 'react';
import type { ReactElement, ReactNode } from 'react';
import type { ConnectionHolder } from './connection-holder.js';
import { holderOf } from './connection-holder.js';
import type { ConnectionState } from './connection-state.js';

const HolderContext = createContext<ConnectionHolder | undefined>(undefined);

/** What is used of a builder here; `DbConnection.builder()` of any bindings. */
interface BuilderLike {
  build(): { readonly isActive: boolean };
}

export interface SpacetimeDBProviderProps {
  /** Configured, not built. Make it outside of components: each builder has one connection. */
  readonly connectionBuilder: BuilderLike;
  readonly children?: ReactNode;
}

/**
 * Opens a connection for the components below it, and closes it when it leaves. A connection that is cut comes back by
 * itself; one that could not be made, or has ended for good, is made anew with the same token, at growing intervals.
 *
 * @example
 * const builder = DbConnection.builder().withUri('http://localhost:3000').withDatabaseName('chat');
 * root.render(<SpacetimeDBProvider connectionBuilder={builder}><Chat /></SpacetimeDBProvider>);
 */
export function SpacetimeDBProvider({ connectionBuilder, children }: SpacetimeDBProviderProps): ReactElement {
  const holder = holderOf(connectionBuilder);
  useEffect(() => holder.retain(), [holder]);
  return createElement(HolderContext.Provider, { value: holder }, children);
}

/** For the other hooks. Throws outside of a provider. */
export function useHolder(): ConnectionHolder {
  const holder = useContext(HolderContext);
  if (holder === undefined) throw new Error('this hook needs a <SpacetimeDBProvider> above its component');
  return holder;
}

/**
 * The state of the connection.
 *
 * @example
 * const { isActive, connectionError } = useSpacetimeDB();
 */
export function useSpacetimeDB(): ConnectionState {
  const holder = useHolder();
  return useSyncExternalStore(holder.subscribe, holder.getState, holder.getServerState);
}
