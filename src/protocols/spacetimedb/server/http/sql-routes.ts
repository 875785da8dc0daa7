import { SqlError } from '../../../../engine/sql/sql-error.js';
import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpResponse } from '../../../../net/http/http-message.js';
import { encodeJson } from '../../../../values/sats-json/encode-json.js';
import type { Typespace } from '../../../../values/algebraic-type.js';
import { viewerOf } from '../runtime.js';
import type { SelectResult } from '../runtime.js';
import { algebraicTypeToJson } from '../../../../values/algebraic-type-codec.js';
import { jsonTextAnswer } from './answers.js';
import { ofDatabase } from './authentication.js';
import type { DatabaseRequest } from './authentication.js';
import { asConnection } from './call-routes.js';
import { confirmed } from './confirm.js';
import type { HttpContext } from './context.js';
import { readText } from './read-text.js';
import type { AddRoute } from './routes.js';

export function addSqlRoutes(add: AddRoute, context: HttpContext): void {
  add(
    'POST',
    '/v1/database/:name/sql',
    ofDatabase(
      context,
      confirmed(
        (caller) => runStatement(context, caller),
        ({ request }) => request.query.get('confirmed') !== 'false',
      ),
    ),
  );
}

async function runStatement(context: HttpContext, caller: DatabaseRequest): Promise<HttpResponse> {
  const { request, database, credentials } = caller;
  const sql = await readText(request);
  const startMs = context.clock.monotonicMs();
  const result = asConnection(context, caller, () => {
    try {
      return database.query(sql, viewerOf(database, credentials.identity));
    } catch (error) {
      if (error instanceof SqlError) throw new HttpError(400, error.message);
      throw error;
    }
  });
  const micros = Math.round((context.clock.monotonicMs() - startMs) * 1000);
  const json = encodeResult(result, database.host.def.schema.typespace, micros);
  return jsonTextAnswer(200, json, { 'spacetime-execution-duration-micros': String(micros) });
}

/** An array of exactly one result; rows are untyped SATS-JSON. */
function encodeResult({ columns, rows }: SelectResult, typespace: Typespace, micros: number): string {
  const elements = columns.map(({ name, type }) => ({
    name: { some: name },
    algebraic_type: algebraicTypeToJson(type),
  }));
  const rowTexts = rows.map((row) => {
    const values = columns.map(({ type }, i) => encodeJson(type, row[i], { form: 'untyped', typespace }));
    return `[${values.join(',')}]`;
  });
  const stats = { rows_inserted: 0, rows_deleted: 0, rows_updated: 0 };
  return (
    `[{"schema":${JSON.stringify({ elements })},"rows":[${rowTexts.join(',')}],` +
    `"total_duration_micros":${micros},"stats":${JSON.stringify(stats)}}]`
  );
}
