import { createElement, StrictMode, useEffect, useState } from 'react';
import type { ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { SpacetimeDBProvider, useReducer, useSpacetimeDB, useTable } from 'chorale/react';
import { DbConnection, reducers, tables } from '../../examples/chat/generated/index.js';

/* The page of react.web.test.ts: the chat with as little around it as can be read by a test. */

/** What happened in the page, in order, for the test. */
interface TestApi {
  readonly events: string[];
  /** How many messages each rendering had, repeated ones once. */
  readonly messageCounts: number[];
  show(what: 'people' | 'messages' | 'nothing', on: boolean): void;
  unmount(): void;
}

declare global {
  interface Window {
    app: TestApi;
  }
}

const events: string[] = [];
const messageCounts: number[] = [];

function Status(): ReactElement {
  const { isActive, identity, connectionError } = useSpacetimeDB();
  const text = isActive ? 'online' : connectionError === undefined ? 'connecting' : 'away';
  return createElement('p', { id: 'status', 'data-identity': identity?.toHexString() ?? '' }, text);
}

function People({ id }: { readonly id: string }): ReactElement {
  const online = tables.user.where((user) => user.online.eq(true));
  const [people, isReady] = useTable(online, {
    onInsert: (user) => events.push(`${id} + ${user.name ?? 'somebody'}`),
    onUpdate: (before, user) =>
      events.push(`${id} ${before.name ?? 'somebody'} > ${user.name ?? 'somebody'}`),
    onDelete: (user) => events.push(`${id} - ${user.name ?? 'somebody'}`),
  });
  const names = people.map((user) => user.name ?? 'somebody').toSorted();
  return createElement('p', { id, 'data-ready': isReady }, names.join(', '));
}

function Messages(): ReactElement {
  const [messages, isReady] = useTable(tables.message);
  if (messageCounts.at(-1) !== messages.length) messageCounts.push(messages.length);
  const texts = messages.map((message, key) => createElement('li', { key }, message.text));
  return createElement('ul', { id: 'messages', 'data-ready': isReady }, texts);
}

function Disabled(): ReactElement {
  const [rows, isReady] = useTable(
    tables.user.where((user) => user.online.eq(false)),
    { enabled: false },
  );
  return createElement('p', { id: 'disabled' }, `${rows.length} ${isReady}`);
}

function Forms(): ReactElement {
  const [error, setError] = useState('');
  const setName = useReducer(reducers.setName);
  const sendMessage = useReducer(reducers.sendMessage);
  const attempt = (call: Promise<void>): void => {
    call.then(
      () => setError('done'),
      (reason: Error) => setError(`${reason.name}: ${reason.message}`),
    );
  };
  const field = (id: string, submit: (text: string) => Promise<void>): ReactElement =>
    createElement('input', {
      id,
      onChange: (event: { target: HTMLInputElement }) => {
        if (event.target.value.endsWith('!')) attempt(submit(event.target.value.slice(0, -1)));
      },
    });
  return createElement(
    'div',
    null,
    field('name', (name) => setName({ name })),
    field('text', (text) => sendMessage({ text })),
    createElement('p', { id: 'outcome' }, error),
  );
}

/** Calls before there is a connection: effects of children run before those of the provider. */
function Early(): null {
  const sendMessage = useReducer(reducers.sendMessage);
  useEffect(() => {
    if (location.hash === '#early') void sendMessage({ text: 'early' }).then(() => events.push('early done'));
  }, [sendMessage]);
  return null;
}

function App(): ReactElement {
  const [shown, setShown] = useState({ people: true, messages: true, nothing: false });
  window.app.show = (what, on) => setShown((before) => ({ ...before, [what]: on }));
  return createElement(
    'main',
    null,
    createElement(Status),
    createElement(Forms),
    createElement(Early),
    createElement(Disabled),
    shown.people && createElement(People, { id: 'people' }),
    shown.people && createElement(People, { id: 'people2' }),
    shown.messages && createElement(Messages),
  );
}

const builder = DbConnection.builder()
  .withUri(location.origin)
  .withDatabaseName('chat')
  .withLog((level, message) => events.push(`${level}: ${message}`));
const root = createRoot(document.querySelector('#root')!);
window.app = { events, messageCounts, show: () => undefined, unmount: () => root.unmount() };
root.render(
  createElement(
    StrictMode,
    null,
    createElement(SpacetimeDBProvider, { connectionBuilder: builder }, createElement(App)),
  ),
);
