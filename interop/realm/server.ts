import { createHash, randomBytes } from 'node:crypto';
import {
  craAuth,
  createServer,
  cryptosignAuth,
  deriveCraKey,
  loadModule,
  makeScramUser,
  scramAuth,
  ticketAuth,
} from 'chorale';
import { schema } from 'chorale/server';

// The application: a procedure, and who may do what in its realm.
const app = schema({});
const whoami = app.rpc('com.example.whoami', (ctx) => `${ctx.authid}, ${ctx.authrole}`);
const realm = app.realm({
  authorize: (ctx, { action }) => ctx.authrole === 'member' || action === 'subscribe',
});

// What is kept of a user, in a table of yours or elsewhere: it lets nobody in as a ticket or a password would.
const salt = randomBytes(12).toString('base64');
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const users = new Map([
  [
    'ada',
    {
      authrole: 'member',
      ticketDigest: digest('a ticket for ada'),
      salt,
      secret: deriveCraKey('correct horse', salt),
      scram: makeScramUser('correct horse', 'member'),
      pubkey: 'd04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737',
    },
  ],
]);

export const server = await createServer({
  port: Number(process.env['PORT'] ?? 3000),
  databases: { club: loadModule({ default: app, whoami, realm }) },
  wamp: {
    auth: ({ methods }) => [
      ...methods, // strangers, and tokens of this server
      ticketAuth((authid, ticket) => {
        const user = users.get(authid);
        return user?.ticketDigest === digest(ticket) ? { authid, authrole: user.authrole } : undefined;
      }),
      craAuth({ lookup: (authid) => users.get(authid), salting: { iterations: 1000, keylen: 32 } }),
      scramAuth({ lookup: (authid) => users.get(authid)?.scram }),
      cryptosignAuth({
        lookup: (pubkey, authid = '') => {
          const user = users.get(authid);
          return user?.pubkey === pubkey ? { authid, authrole: user.authrole } : undefined;
        },
      }),
    ],
  },
});
console.log(`realm club at ${server.url.replace('http', 'ws')}`);
