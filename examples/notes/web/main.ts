import { openEditor } from './editor.js';
import { find } from './find.js';
import { HistoryPanel } from './history-panel.js';
import { loadPerson, storePerson } from './identity.js';
import { NoteSession, type SaveState } from './note-session.js';
import { showOneself, showPeople } from './people.js';
import { rename } from './person.js';
import { VersionLog } from './versions.js';

const STATES: Readonly<Record<SaveState, string>> = {
  connecting: 'Connecting…',
  saving: 'Saving…',
  saved: 'Saved',
  offline: 'Offline: kept in this browser',
};

// As long as somebody types, the list would be out of date again at once.
const REFRESH_MS = 700;

const room = `notes/${new URLSearchParams(location.search).get('note') ?? 'welcome'}`;
let person = loadPerson(location);

function showState(state: SaveState): void {
  document.body.dataset['state'] = state;
  find('state').textContent = STATES[state];
}

const session = new NoteSession(room, person, showState);
showState('connecting');
showOneself(person, (name) => {
  person = storePerson(location, rename(person, name));
  session.introduce(person);
});
session.awareness.on('change', () => showPeople(session.awareness));

const log = new VersionLog(room, () => session.token);
const history = new HistoryPanel(log, (identity) => session.people.get(identity));
let refreshing: ReturnType<typeof setTimeout> | undefined;
for (const doc of [session.doc, session.people.doc]) {
  doc?.on('update', () => {
    clearTimeout(refreshing);
    refreshing = setTimeout(() => void history.refresh(), REFRESH_MS);
  });
}

function showTitle(): void {
  const title = session.text
    .toJSON()
    .split('\n', 1)[0]!
    .replace(/^#+\s*/, '')
    .trim();
  document.title = title === '' ? 'Note' : title;
}
session.text.observe(showTitle);

await session.open();
showTitle();
openEditor(find('editor'), session).focus();
