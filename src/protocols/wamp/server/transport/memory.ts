import type { Message, RouterMessage } from '../../messages/message.js';
import type { Connection } from '../connection.js';
import type { Sending } from '../output.js';
import type { WampRouter } from '../router.js';

/** A client's end of a transport within the process. */
export interface MemoryTransport {
  send(message: Message): void;
  close(): void;
}

export interface MemoryListener {
  onMessage(message: RouterMessage): void;
  /** The router has let go. */
  onClose(): void;
}

/**
 * A transport within the process: messages as objects, nothing is serialized. What either side sends arrives in a
 * microtask, so neither runs within the other's call.
 *
 * @example
 * const transport = connectMemory(router, { onMessage: (message) => seen.push(message), onClose: () => {} });
 * transport.send({ type: MessageType.hello, realm: 'realm1', details: { roles: { caller: {} } } });
 */
export function connectMemory(router: WampRouter, listener: MemoryListener): MemoryTransport {
  let isOpen = true;
  const deliver = (act: () => void): void => {
    queueMicrotask(() => {
      try {
        act();
      } catch (error) {
        router.services.onError(error, 'in-process transport');
      }
    });
  };
  const output = {
    queuedBytes: 0,
    send(message: RouterMessage): Sending {
      deliver(() => listener.onMessage(message));
      return 'sent';
    },
    sendEvent: (event: { readonly message: RouterMessage }) =>
      deliver(() => listener.onMessage(event.message)),
    end: () => {
      if (!isOpen) return;
      isOpen = false;
      deliver(() => listener.onClose());
    },
  };
  const info = { type: 'memory', serializer: 'none', peer: 'process' } as const;
  const connection: Connection = router.connect(output, info);
  return {
    send: (message) => {
      if (isOpen) deliver(() => connection.receive(message));
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      deliver(() => connection.lose());
    },
  };
}
