import { ChatSession, type ConnectionState } from '../client/chat-session.js';
import { find } from './find.js';
import { ConnectionBanner } from './connection-banner.js';
import { Composer } from './composer.js';
import { NameEditor } from './name-editor.js';
import { PeoplePanel } from './people-panel.js';
import { MessageList } from './message-list.js';
import { browserTokens, linkToAnotherPerson } from './browser-identity.js';

/* The page: one ChatSession, and a part of the screen for each thing it can show. */

const session = new ChatSession({
  uri: location.origin,
  database: 'chat',
  tokens: browserTokens(location),
  listener: {
    onState: showState,
    onChange: showSoon,
    onMessage: (message) => {
      if (document.hidden && message.senderId !== session.myId) unread += 1;
      showTitle();
    },
    onStranger: () => banner.showNotice('This server does not know you from before: you are somebody new.'),
  },
});

const banner = new ConnectionBanner(() => session.connect());
const people = new PeoplePanel();
const messages = new MessageList();
const nameEditor = new NameEditor((name) => session.setName(name));
const composer = new Composer(async (text) => {
  await session.send(text);
  messages.scrollToEnd();
});

let unread = 0;
let isShowing = false;

function showState(state: ConnectionState): void {
  banner.show(state);
  composer.setOnline(state.kind === 'online');
  nameEditor.setOnline(state.kind === 'online');
  document.body.dataset['state'] = state.kind;
}

/** Shows everything once, however much has changed since the last frame. */
function showSoon(): void {
  if (isShowing) return;
  isShowing = true;
  // Not requestAnimationFrame: it stands still in hidden windows, which count unread messages.
  queueMicrotask(() => {
    isShowing = false;
    people.show(session);
    messages.show(session);
    if (session.myId !== undefined) nameEditor.show(session.person(session.myId));
  });
}

function showTitle(): void {
  document.title = unread === 0 ? 'Chorale chat' : `(${unread}) Chorale chat`;
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  unread = 0;
  showTitle();
});
// The network is back: no reason to wait for the next try.
window.addEventListener('online', () => session.connect());

for (const id of ['second', 'second-empty']) find(id, HTMLAnchorElement).href = linkToAnotherPerson(location);
session.connect();
