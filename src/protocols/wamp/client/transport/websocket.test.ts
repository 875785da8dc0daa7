import { expect, test } from 'vitest';
import { TransportError } from '../errors.js';
import { jsonSerializer } from '../serializer/json.js';
import type { Frame, TransportRequest } from './transport.js';
import { openWebSocket } from './websocket.js';
import type { WebSocketLike } from './websocket.js';

/** A WebSocket whose network is the test. */
class FakeSocket implements WebSocketLike {
  binaryType = 'blob';
  readyState = 0;
  protocol = 'wamp.2.json';
  bufferedAmount = 0;
  closed: (number | undefined)[] = [];
  sent: Frame[] = [];
  onopen: WebSocketLike['onopen'] = null;
  onmessage: WebSocketLike['onmessage'] = null;
  onerror: WebSocketLike['onerror'] = null;
  onclose: WebSocketLike['onclose'] = null;

  send(frame: Frame): void {
    this.sent.push(frame);
  }

  close(code?: number): void {
    this.closed.push(code);
  }

  end(code: number, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

function opening(options: Partial<TransportRequest> = {}) {
  const socket = new FakeSocket();
  const asked: string[] = [];
  const transport = openWebSocket(
    ({ url }, subprotocols) => {
      asked.push(url.href, ...subprotocols);
      return socket;
    },
    { url: new URL('http://router/path'), serializers: [jsonSerializer], ...options },
  );
  return { socket, asked, transport };
}

/** Until the socket has been made. */
const made = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

async function opened() {
  const { socket, transport } = opening();
  await made();
  socket.readyState = 1;
  socket.onopen?.({});
  const log: string[] = [];
  const events = {
    onFrame: (frame: Frame) =>
      void log.push(typeof frame === 'string' ? frame : `octets ${[...frame].join()}`),
    onClose: (reason: string, cause?: unknown) => void log.push(`${reason}: ${String(cause)}`),
  };
  return { socket, transport: await transport, log, events };
}

test('frames come as text and octets, and the end with what the platform says of it', async () => {
  const { socket, transport, log, events } = await opened();
  transport.attach(events);
  socket.onmessage?.({ data: '[36]' });
  socket.onmessage?.({ data: Uint8Array.of(1, 2).buffer });
  transport.send(['[1]', '[2]']);
  transport.close();
  socket.onerror?.({ error: new Error('reset') });
  socket.end(1006);
  expect(log).toEqual(['[36]', 'octets 1,2', 'closed with 1006 : Error: reset']);
  expect([socket.sent, socket.closed, socket.binaryType]).toEqual([['[1]', '[2]'], [1000], 'arraybuffer']);
});

test('that it closed before anybody listened is told to who does', async () => {
  const { socket, transport, log, events } = await opened();
  socket.end(1001);
  transport.attach(events);
  expect(log).toEqual(['closed at once: undefined']);
});

test('who is closing when somebody begins to listen tells it once', async () => {
  const { socket, transport, log, events } = await opened();
  socket.readyState = 2;
  transport.attach(events);
  socket.end(1001, 'away');
  expect(log).toEqual(['closed with 1001 away: undefined']);
});

test('a subprotocol that was not offered is refused', async () => {
  const { socket, asked, transport } = opening();
  const refused = expect(transport).rejects.toMatchObject({
    constructor: TransportError,
    cause: { message: '"wamp.2.cbor" was not offered' },
  });
  await made();
  socket.protocol = 'wamp.2.cbor';
  socket.onopen?.({});
  await refused;
  expect([asked, socket.closed]).toEqual([['ws://router/path', 'wamp.2.json'], [undefined]]);
});

test('what is given up while it opens is closed, and says why', async () => {
  const controller = new AbortController();
  const { socket, transport } = opening({ signal: controller.signal });
  const given = expect(transport).rejects.toMatchObject({ cause: 'enough' });
  await made();
  controller.abort('enough');
  expect(socket.closed).toEqual([undefined]);
  socket.end(1006);
  await given;
  const late = opening({ signal: controller.signal });
  await expect(late.transport).rejects.toMatchObject({ cause: 'enough' });
  expect(late.asked).toEqual([]);
});

test('once it is open, giving up is no business of it any more', async () => {
  const controller = new AbortController();
  const { socket, transport } = opening({ signal: controller.signal });
  await made();
  socket.onopen?.({});
  await transport;
  controller.abort();
  expect(socket.closed).toEqual([]);
});
