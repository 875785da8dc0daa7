/* A server of rooms in its own process, to be killed. Prints its address. */
import { loadModule } from '../src/module/load-module.js';
import { schema } from '../src/module/schema.js';
import { createServer } from '../src/server/create-server.js';

const [dataDirectory, port = '0'] = process.argv.slice(2);
const app = schema({});
const server = await createServer({
  port: Number(port),
  databases: { notes: loadModule({ default: app, notes: app.room('*path') }) },
  ...(dataDirectory === undefined || dataDirectory === '-' ? {} : { dataDirectory }),
});
process.stdout.write(`${server.url}\n`);
