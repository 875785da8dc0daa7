import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What Node's sockets hide: not public, so each use is checked and there is a way without. */
interface SocketInternals {
  _handle?: { readonly reading?: boolean; readonly useUserBuffer?: unknown } | null;
  readonly _readableState?: { readonly ended: boolean };
}

/** Who takes what is read. A chunk is good until the call returns. */
export interface ChunkSink {
  receive(chunk: Uint8Array): void;
}

/**
 * Goes on with the connection of `socket` in a new socket whose reads land in `memory`, which all connections of a thread can share. Otherwise Node allocates 64 KiB for every read, which costs a tenth of the time of a small message and
 * most of the garbage. `socket` is used up then.
 *
 * `early` is what had been read already. Undefined, with `socket` as it was, when this cannot be: TLS, a peer that has ended already, a Node that works otherwise.
 */
export function readIntoShared(
  socket: Duplex,
  memory: Uint8Array<ArrayBuffer>,
  sink: ChunkSink,
): { readonly successor: Socket; readonly early: Uint8Array | undefined } | undefined {
  const internals = socket as unknown as SocketInternals;
  const { _handle: handle, _readableState: state } = internals;
  // Exactly a TCP socket: a TLS one reads through a handle of another kind.
  if (Object.getPrototypeOf(socket) !== Socket.prototype || socket.destroyed || state?.ended !== false)
    return undefined;
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  const early = socket.read() as Uint8Array | null;
  internals._handle = null;
  const options = {
    handle,
    onread: { buffer: memory, callback: readerFor(sink) },
  };
  const successor = new Socket(options as ConstructorParameters<typeof Socket>[0]);
  socket.destroy();
  return { successor, early: early ?? undefined };
}

/** By itself: as long as the socket it keeps all that it can see. */
function readerFor(sink: ChunkSink): (count: number, memory: Uint8Array) => boolean {
  return (count, memory) => {
    sink.receive(memory.subarray(0, count));
    return true;
  };
}
