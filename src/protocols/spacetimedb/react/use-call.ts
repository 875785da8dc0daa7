import { useCallback } from 'react';
import type { Infer, InferRow, RowShape, UntypedProcedureDef, UntypedReducerDef } from '../client/index.js';
import { useHolder } from './context.js';

type Arguments<S extends RowShape> = [keyof S] extends [never]
  ? [params?: Readonly<Record<string, never>>]
  : [params: InferRow<S>];

type Callers = Readonly<Record<string, ((params?: object) => Promise<unknown>) | undefined>>;

/**
 * A function that calls a reducer. Its promise resolves when the transaction is in the cache, and rejects as
 * `conn.reducers` does. Calls before there is a connection wait for it.
 *
 * @example
 * const setName = useReducer(reducers.setName);
 * await setName({ name: 'Ada' });
 */
export function useReducer<D extends UntypedReducerDef>(
  reducer: D,
): (...params: Arguments<D['params']>) => Promise<void> {
  return useCaller('reducers', reducer.accessorName) as (...params: Arguments<D['params']>) => Promise<void>;
}

/** A function that calls a procedure; its promise resolves with what the procedure returns. */
export function useProcedure<D extends UntypedProcedureDef>(
  procedure: D,
): (...params: Arguments<D['params']>) => Promise<Infer<D['returnType']>> {
  return useCaller('procedures', procedure.accessorName) as (
    ...params: Arguments<D['params']>
  ) => Promise<Infer<D['returnType']>>;
}

function useCaller(
  kind: 'reducers' | 'procedures',
  accessorName: string,
): (params?: object) => Promise<unknown> {
  const holder = useHolder();
  return useCallback(
    async (params?: object) => {
      const connection = await holder.connection();
      const call = (connection[kind] as unknown as Callers)[accessorName];
      if (call === undefined)
        throw new Error(`the connection's bindings have no ${kind} \`${accessorName}\``);
      return await call(params);
    },
    [holder, kind, accessorName],
  );
}
