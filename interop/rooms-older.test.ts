import { YSweetProvider } from '@y-sweet/client';
import {
  HocuspocusProvider as HocuspocusProvider2,
  HocuspocusProviderWebsocket as HocuspocusSocket2,
} from 'hocuspocus-provider-2';
import {
  HocuspocusProvider as HocuspocusProvider3,
  HocuspocusProviderWebsocket as HocuspocusSocket3,
} from 'hocuspocus-provider-3';
import { afterEach, describe, expect, it } from 'vitest';
import { WebsocketProvider as WebsocketProvider1 } from 'y-websocket-1';
import { WebsocketProvider as WebsocketProvider2 } from 'y-websocket-2';
import * as Y from 'yjs';

import { loadModule } from '../src/module/load-module.js';
import { schema } from '../src/module/schema.js';
import { createServer } from '../src/server/create-server.js';
import { openOurs, QuietSocket } from './rooms-peers.js';

/* Clients of earlier years, and y-sweet's, which are in use: each with our own client in one room. */

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

interface OlderPeer {
  readonly doc: Y.Doc;
  readonly awareness: { setLocalState(state: object): void; getStates(): Map<number, object> };
  readonly isSynced: () => boolean;
  /** What was edited is acknowledged, in the client's own word for it. */
  readonly isSaved?: () => boolean;
  close(): void;
}

const ROOM = 'doc';
const webSocketUrl = (url: string): string => url.replace('http', 'ws');

function openYWebsocket(
  Provider: typeof WebsocketProvider1 | typeof WebsocketProvider2,
  url: string,
): OlderPeer {
  const doc = new Y.Doc();
  const provider = new Provider(webSocketUrl(url), ROOM, doc, {
    WebSocketPolyfill: QuietSocket as never,
    disableBc: true,
  });
  const { awareness } = provider;
  return { doc, awareness, isSynced: () => provider.synced, close: () => provider.destroy() };
}

const hocuspocus2 = { Socket: HocuspocusSocket2, Provider: HocuspocusProvider2 };
const hocuspocus3 = { Socket: HocuspocusSocket3, Provider: HocuspocusProvider3 };

function openHocuspocus(
  { Socket, Provider }: typeof hocuspocus2 | typeof hocuspocus3,
  url: string,
  token: string,
): OlderPeer {
  const doc = new Y.Doc();
  const websocketProvider = new Socket({ url: webSocketUrl(url), WebSocketPolyfill: QuietSocket });
  // Each class is given the socket of its own version.
  const provider = new Provider({
    websocketProvider: websocketProvider as never,
    name: ROOM,
    document: doc,
    token,
  });
  if ('attach' in provider) provider.attach();
  return {
    doc,
    awareness: provider.awareness!,
    isSynced: () => provider.isSynced,
    isSaved: () => !provider.hasUnsyncedChanges,
    close: () => {
      provider.destroy();
      websocketProvider.destroy();
    },
  };
}

function openYSweet(url: string): OlderPeer {
  const doc = new Y.Doc();
  const token = { url: webSocketUrl(url), baseUrl: url, docId: ROOM };
  const provider = new YSweetProvider(async () => token, ROOM, doc, {
    WebSocketPolyfill: QuietSocket as never,
    showDebuggerLink: false,
  });
  return {
    doc,
    awareness: provider.awareness,
    isSynced: () => provider.status === 'connected',
    isSaved: () => !provider.hasLocalChanges,
    close: () => provider.destroy(),
  };
}

const clients: Readonly<Record<string, (url: string, token: string) => OlderPeer>> = {
  'y-websocket 1.5.4': (url) => openYWebsocket(WebsocketProvider1, url),
  'y-websocket 2.1.0': (url) => openYWebsocket(WebsocketProvider2, url),
  // It sends no auth message without a token, and our server waits for one.
  'Hocuspocus provider 2.15.3': (url, token) => openHocuspocus(hocuspocus2, url, token),
  'Hocuspocus provider 3.4.4': (url) => openHocuspocus(hocuspocus3, url, ''),
  'y-sweet client 0.9.1': openYSweet,
};

const text = (doc: Y.Doc): string => doc.getText('t').toJSON();

describe.each(Object.entries(clients))('%s', (_name, openTheirs) => {
  it('writes, reads, shows who is there, and hears that it is saved', async () => {
    const databases = { notes: loadModule({ default: schema({}) }) };
    const server = await createServer({ databases, rooms: { '*path': {} } });
    cleanups.push(() => server.close({ drainMs: 0 }));
    const theirs = openTheirs(server.url, server.owner.token);
    cleanups.push(() => theirs.close());
    const ours = openOurs(server.url, ROOM);
    cleanups.push(() => ours.close());
    await expect.poll(theirs.isSynced).toBe(true);
    theirs.doc.getText('t').insert(0, 'theirs ');
    await expect.poll(() => text(ours.doc)).toBe('theirs ');
    ours.doc.getText('t').insert(7, 'ours');
    await expect.poll(() => text(theirs.doc)).toBe('theirs ours');
    if (theirs.isSaved !== undefined) await expect.poll(theirs.isSaved).toBe(true);
    await expect.poll(ours.isSaved).toBe(true);
    theirs.awareness.setLocalState({ user: 'ada' });
    ours.client.awareness.setLocalState({ user: 'bob' });
    for (const { awareness } of [theirs, ours.client])
      await expect
        .poll(() => [...awareness.getStates().values()])
        .toEqual(expect.arrayContaining([{ user: 'ada' }, { user: 'bob' }]));
  });
});
