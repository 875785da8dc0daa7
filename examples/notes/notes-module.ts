import { schema } from 'chorale/server';

const app = schema({});
export default app;

const WELCOME = `# Welcome

This note is written by everybody who has this page open, at the same time.

- Open it in a *second window*: you see each other's cursors.
- Pull the plug: you can go on writing, and it comes together later.
- Kill the server: what it called **saved** is there when it is back.

> Every edit is kept. \`History\` shows how this came about, and brings any moment back.
`;

/** Who is who, by identity, in all notes: names for the history. It would be restored with a note if it were in it. */
export const people = app.room('people', { authorize: () => 'write' });

/** One document for each name. There is nothing else to do: edits are checked, kept in the log and sent on. */
export const notes = app.room('notes/:id', {
  authorize: () => 'write',
  onLoad: (room) =>
    room.seed((doc) => doc.getText('text').insert(0, room.params['id'] === 'welcome' ? WELCOME : '# ')),
});
