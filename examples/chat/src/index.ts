import { schema, SenderError, t, table } from 'chorale/server';

// Everybody who was ever here. `online` says whether he still is.
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

// One person may have several windows open: he is online as long as one of them is. Nobody else needs to see this table.
const session = table(
  { name: 'session' },
  {
    connectionId: t.connectionId().primaryKey(),
    identity: t.identity().index(),
  },
);

const app = schema({ user, message, session });
export default app;

// Enough for a name and for a paragraph; counted as `maxlength` of the page's fields counts.
const NAME_LENGTH_MAX = 32;
const TEXT_LENGTH_MAX = 2000;

export const setName = app.reducer({ name: t.string() }, (ctx, { name }) => {
  const trimmed = name.trim();
  if (trimmed === '') throw new SenderError('Names must not be empty');
  if (trimmed.length > NAME_LENGTH_MAX) {
    throw new SenderError(`Names must not be longer than ${NAME_LENGTH_MAX} characters`);
  }
  const me = ctx.db.user.identity.find(ctx.sender);
  if (!me) throw new SenderError('Cannot set the name of an unknown user');
  ctx.db.user.identity.update({ ...me, name: trimmed });
});

export const sendMessage = app.reducer({ text: t.string() }, (ctx, { text }) => {
  if (text.trim() === '') throw new SenderError('Messages must not be empty');
  if (text.length > TEXT_LENGTH_MAX) {
    throw new SenderError(`Messages must not be longer than ${TEXT_LENGTH_MAX} characters`);
  }
  ctx.db.message.insert({ sender: ctx.sender, sent: ctx.timestamp, text });
});

export const onConnect = app.clientConnected((ctx) => {
  if (ctx.connectionId) ctx.db.session.insert({ connectionId: ctx.connectionId, identity: ctx.sender });
  const me = ctx.db.user.identity.find(ctx.sender);
  if (me) ctx.db.user.identity.update({ ...me, online: true });
  else ctx.db.user.insert({ identity: ctx.sender, name: undefined, online: true });
});

export const onDisconnect = app.clientDisconnected((ctx) => {
  if (ctx.connectionId) ctx.db.session.connectionId.delete(ctx.connectionId);
  const isStillHere = ctx.db.session.identity.filter(ctx.sender).next().done !== true;
  const me = ctx.db.user.identity.find(ctx.sender);
  if (me) ctx.db.user.identity.update({ ...me, online: isStillHere });
});
