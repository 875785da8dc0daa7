import { Client } from 'chorale/engineio';

import type { Update } from '../counter-module.js';

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

const startMs = performance.now();

/** Shows the transport, and since when it is in use. */
function show(transport: string): void {
  element('transport').textContent = transport;
  element('transport').className = transport;
  const line = document.createElement('li');
  line.textContent = `${Math.round(performance.now() - startMs)} ms: ${transport}`;
  element('history').append(line);
}

const client = new Client();
client.on('connect', () => show(client.transport()));
client.on('message', (text: string) => {
  element('value').textContent = String((JSON.parse(text) as Update).value);
});
client.on('disconnect', (reason) => show(`gone: ${reason}`));
element('more').addEventListener('click', () => void client.send('+1'));
element('less').addEventListener('click', () => void client.send('-1'));

// `?transports=polling` stays with polling, as networks do that let no WebSocket through.
const transports = new URLSearchParams(location.search).get('transports')?.split(',');
await client.connect(location.origin, {
  engineioPath: 'counter',
  ...(transports === undefined ? {} : { transports }),
});
if (client.transport() === 'websocket') show('websocket');
