// The chat of the SpacetimeDB quickstart, as a TypeScript module for npm's `spacetimedb/server`. Chorale runs it as it is.
import { schema, SenderError, t, table } from 'spacetimedb/server';

const user = table(
  { name: 'user', public: true },
  {
    identity: t.identity().primaryKey(),
    name: t.string().optional(),
    online: t.bool(),
  },
);

const message = table(
  { name: 'message', public: true },
  {
    sender: t.identity(),
    sent: t.timestamp(),
    text: t.string(),
  },
);

const spacetimedb = schema({ user, message });
export default spacetimedb;

function validateName(name: string): void {
  if (name === '') throw new SenderError('A name needs at least one letter');
}

function validateMessage(text: string): void {
  if (text === '') throw new SenderError('There is nothing to send');
}

export const setName = spacetimedb.reducer({ name: t.string() }, (ctx, { name }) => {
  validateName(name);
  const caller = ctx.db.user.identity.find(ctx.sender);
  if (!caller) throw new SenderError('Connect before you choose a name');
  console.info(`User ${ctx.sender.toHexString()} sets name to ${name}`);
  ctx.db.user.identity.update({ ...caller, name });
});

export const sendMessage = spacetimedb.reducer({ text: t.string() }, (ctx, { text }) => {
  validateMessage(text);
  console.info(`User ${ctx.sender.toHexString()}: ${text}`);
  ctx.db.message.insert({ sender: ctx.sender, text, sent: ctx.timestamp });
});

export const init = spacetimedb.init(() => {});

export const onConnect = spacetimedb.clientConnected((ctx) => {
  const caller = ctx.db.user.identity.find(ctx.sender);
  if (caller) {
    ctx.db.user.identity.update({ ...caller, online: true });
  } else {
    ctx.db.user.insert({ identity: ctx.sender, name: undefined, online: true });
  }
});

export const onDisconnect = spacetimedb.clientDisconnected((ctx) => {
  const caller = ctx.db.user.identity.find(ctx.sender);
  if (caller) {
    ctx.db.user.identity.update({ ...caller, online: false });
  } else {
    console.warn(`Somebody left who never came: ${ctx.sender.toHexString()}`);
  }
});
