import type { ChatConnection } from '../testing/chat-bindings.js';
import { tables } from '../testing/chat-bindings.js';

/* Compiled, never run: each line marked as an error must be one. */

export function checkInference(conn: ChatConnection): void {
  const found = conn.db.user.id.find(1);
  const name: string | undefined = found?.name;
  const nickName: string | undefined = found?.nickName;
  // @ts-expect-error -- ids are numbers.
  conn.db.user.id.find('1');
  // @ts-expect-error -- a unique index finds, it does not filter.
  conn.db.user.name.filter('ada');
  // @ts-expect-error -- no such table.
  void conn.db.users;
  conn.db.note.byAuthor.filter(1);
  conn.db.note.byAuthor.filter([1, 5]);
  // @ts-expect-error -- the second column is a number.
  conn.db.note.byAuthor.filter([1, 'x']);
  // @ts-expect-error -- no such column.
  conn.db.user.onInsert((_, row) => row.age);

  void conn.reducers.setName({ id: 1, name: 'x' });
  void conn.reducers.ping();
  // @ts-expect-error -- a parameter is missing.
  void conn.reducers.setName({ id: 1 });
  // @ts-expect-error -- no such reducer.
  void conn.reducers.setname({ id: 1, name: 'x' });
  const sum: Promise<bigint> = conn.procedures.addUp({ a: 1, b: 2 });

  tables.user.where((row) => row.id.eq(1).and(row.name.ne('x')));
  // @ts-expect-error -- a name is a text.
  tables.user.where((row) => row.name.eq(1));
  void [name, nickName, sum];
}
