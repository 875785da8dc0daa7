import { packageVersion } from './package-info.js';

/** The files of a new application: a guest book. Names are paths inside its folder. */
export function projectTemplate(database: string): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', packageJson(database)],
    ['chorale.json', json({ database, 'module-path': 'server', generate: [BINDINGS] })],
    ['tsconfig.json', json({ compilerOptions: COMPILER_OPTIONS, include: ['server', 'client'] })],
    ['.gitignore', 'node_modules/\ndist/\n.chorale/\n'],
    ['server/index.ts', MODULE],
    ['client/index.ts', client(database)],
  ]);
}

const BINDINGS = { language: 'typescript', 'out-dir': 'client/module_bindings' };

const COMPILER_OPTIONS = {
  target: 'es2023',
  module: 'nodenext',
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

function packageJson(name: string): string {
  return json({
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    scripts: {
      dev: 'chorale dev --delete-data=on-conflict',
      start: 'chorale start',
      client: 'chorale generate && tsx client/index.ts',
    },
    dependencies: { chorale: `^${packageVersion()}` },
    devDependencies: { tsx: '^4.23.0', typescript: '^5.9.0' },
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const MODULE = `import { schema, table, t, SenderError } from 'chorale/server';

// Every row of a public table can be seen by everybody who subscribes to it.
const entry = table(
  { name: 'entry', public: true },
  {
    id: t.u64().primaryKey().autoInc(),
    author: t.identity(),
    written: t.timestamp(),
    text: t.string(),
  },
);

const app = schema({ entry });
export default app;

// A reducer is a transaction: it happens entirely, or (when it throws) not at all.
export const write = app.reducer({ text: t.string() }, (ctx, { text }) => {
  if (text.trim() === '') throw new SenderError('Write something first');
  ctx.db.entry.insert({ id: 0n, author: ctx.sender, written: ctx.timestamp, text });
});
`;

function client(database: string): string {
  return `import { DbConnection } from './module_bindings/index.js';

// Prints all entries, writes one, and stays to see what others write. Start it twice.
DbConnection.builder()
  .withUri('http://127.0.0.1:3000')
  .withDatabaseName('${database}')
  .onConnect((connection, identity) => {
    console.log('connected as', identity.toHexString());
    connection.db.entry.onInsert((_ctx, row) => console.log(row.written.toDate().toISOString(), row.text));
    connection
      .subscriptionBuilder()
      .onApplied(() => void connection.reducers.write({ text: 'I was here' }))
      .subscribe(['SELECT * FROM entry']);
  })
  .onConnectError((_ctx, error) => console.error('cannot connect:', error.message))
  .build();
`;
}
