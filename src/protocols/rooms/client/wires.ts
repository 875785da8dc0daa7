import type { RoomClient } from './room-client.js';

/** A server that was bound. */
export interface BoundServer {
  readonly roomCount: number;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Clients' wires by name: what `connect` takes and gives. A package that brings a wire adds to it by declaration merging and calls
 * `registerWire`.
 */
// eslint-disable-next-line typescript/no-empty-object-type -- filled by those who bring wires
export interface WireMap {}

/** The same for `bind`. */
// eslint-disable-next-line typescript/no-empty-object-type -- filled by those who bring wires
export interface ServerWireMap {}

type OptionsOf<T> = T extends { readonly options: infer O } ? O : never;
type ClientOf<T> = T extends { readonly client: infer C } ? C : never;
type ServerOf<T> = T extends { readonly server: infer C } ? C : never;

export interface Wire {
  readonly connect?: (options: never) => RoomClient;
  readonly bind?: (options: never) => Promise<BoundServer>;
}

const wires = new Map<string, Wire>();

export function registerWire(name: string, wire: Wire): void {
  wires.set(name, { ...wires.get(name), ...wire });
}

/**
 * Connects a document to a room.
 *
 * @example
 * await using client = await connect('websocket', { id: 'notes', host: 'http://localhost', port: 8000 });
 * client.doc.getText('text').insert(0, 'hello');
 */
export async function connect<N extends keyof WireMap>(
  wire: N,
  options: OptionsOf<WireMap[N]>,
): Promise<ClientOf<WireMap[N]>> {
  const make = wires.get(wire)?.connect as ((options: object) => RoomClient) | undefined;
  if (make === undefined)
    throw new Error(`No client found for "${wire}", did you forget to install "wire-${wire}"?`);
  return (await make(options).open()) as ClientOf<WireMap[N]>;
}

/**
 * Starts a server of rooms.
 *
 * @example
 * await using server = await bind('websocket', { host: 'localhost', port: 8000 });
 */
export async function bind<N extends keyof ServerWireMap>(
  wire: N,
  options: OptionsOf<ServerWireMap[N]>,
): Promise<ServerOf<ServerWireMap[N]>> {
  const make = wires.get(wire)?.bind as ((options: object) => Promise<BoundServer>) | undefined;
  if (make === undefined)
    throw new Error(`No server found for "${wire}", did you forget to install "wire-${wire}"?`);
  return (await make(options)) as ServerOf<ServerWireMap[N]>;
}
