import type { LiveQuery, Viewer } from '../../../engine/contract.js';
import { SqlError } from '../../../engine/sql/sql-error.js';
import type { SessionLimits } from './limits.js';
import type { LiveSource } from './runtime.js';
import type { WireSession } from './wire.js';

/** A query that is not followed; the message is for the client. */
export class QueryRefusal extends Error {
  override readonly name = 'QueryRefusal';
}

/**
 * The live queries of one query set. Texts that are the same after trimming count once; `SELECT * FROM *` becomes one
 * query per readable table. Throws QueryRefusal.
 */
export function compileQueries(
  live: LiveSource,
  texts: readonly string[],
  viewer: Viewer,
  limits: Pick<SessionLimits, 'queryLengthMax' | 'queriesMax'>,
): LiveQuery[] {
  const distinct = new Set(texts.map((text) => text.trim()));
  if (distinct.size > limits.queriesMax) {
    throw new QueryRefusal(`a connection may hold ${limits.queriesMax} queries, these are ${distinct.size}`);
  }
  return [...distinct].flatMap((text) => compileQuery(live, text, viewer, limits.queryLengthMax));
}

/** The same for a connection that holds `heldCount` queries already. */
export function compileForSession(
  { live, viewer, limits }: Pick<WireSession, 'live' | 'viewer' | 'limits'>,
  texts: readonly string[],
  heldCount: number,
): LiveQuery[] {
  const compiled = compileQueries(live, texts, viewer, limits);
  if (heldCount + compiled.length > limits.queriesMax) {
    throw new QueryRefusal(`a connection may hold ${limits.queriesMax} queries: unsubscribe from some first`);
  }
  return compiled;
}

function compileQuery(
  live: LiveSource,
  sql: string,
  viewer: Viewer,
  lengthMax: number,
): readonly LiveQuery[] {
  if (sql.length > lengthMax) {
    throw new QueryRefusal(`a query may have ${lengthMax} characters, this one has ${sql.length}`);
  }
  try {
    return live.compile(sql, viewer);
  } catch (cause) {
    if (!(cause instanceof SqlError)) throw cause;
    throw new QueryRefusal(`${cause.message}, executing: \`${sql}\``, { cause });
  }
}
