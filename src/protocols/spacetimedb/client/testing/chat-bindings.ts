import { DbConnectionImpl } from '../connection/db-connection.js';
import { DbConnectionBuilder } from '../connection/db-connection-builder.js';
import { makeQueryBuilder } from '../schema/query.js';
import {
  procedures,
  procedureSchema,
  reducers,
  reducerSchema,
  schema,
  table,
} from '../schema/remote-module.js';
import type { RemoteModule } from '../schema/remote-module.js';
import { t } from '../schema/type-builders.js';

/* Bindings of a small database, as the generator writes them; for the tests of this folder. */

const userRow = t.row({
  id: t.u32().primaryKey(),
  name: t.string(),
  nickName: t.option(t.string()).name('nick_name'),
});
const noteRow = t.row({ author: t.u32(), text: t.string(), stars: t.u8() });
const alarmRow = t.row({ text: t.string() });

const tablesSchema = schema({
  user: table(
    {
      name: 'user',
      indexes: [
        { accessor: 'id', name: 'user_id_idx_btree', algorithm: 'btree', columns: ['id'] },
        { accessor: 'name', name: 'user_name_idx_btree', algorithm: 'btree', columns: ['name'] },
      ],
      constraints: [
        { name: 'user_id_key', constraint: 'unique', columns: ['id'] },
        { name: 'user_name_key', constraint: 'unique', columns: ['name'] },
      ],
    },
    userRow,
  ),
  note: table(
    {
      name: 'note',
      indexes: [{ accessor: 'byAuthor', algorithm: 'btree', columns: ['author', 'stars'] }],
      constraints: [],
    },
    noteRow,
  ),
  loudAlarm: table({ name: 'loud_alarm', event: true }, alarmRow),
});
const reducersSchema = reducers(
  reducerSchema('set_name', { id: t.u32(), name: t.string() }),
  reducerSchema('ping', {}),
);
const proceduresSchema = procedures(procedureSchema('add_up', { a: t.u32(), b: t.u32() }, t.u64()));

export const CHAT_MODULE = {
  versionInfo: { cliVersion: '2.8.3' as const },
  tables: tablesSchema.schemaType.tables,
  reducers: reducersSchema.reducersType.reducers,
  ...proceduresSchema,
} satisfies RemoteModule<
  typeof tablesSchema.schemaType,
  typeof reducersSchema.reducersType,
  typeof proceduresSchema
>;

export const tables = makeQueryBuilder(tablesSchema.schemaType);

export class ChatConnection extends DbConnectionImpl<typeof CHAT_MODULE> {
  static builder = (): DbConnectionBuilder<ChatConnection> =>
    new DbConnectionBuilder<ChatConnection>(CHAT_MODULE, (config) => new ChatConnection(config));
}
