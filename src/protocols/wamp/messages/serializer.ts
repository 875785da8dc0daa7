import type { Message } from './message.js';
import type { PayloadCodec } from './payload.js';

export type SerializerName = 'json' | 'msgpack' | 'cbor';

/** One serialized message: text for JSON, octets for the others. */
export type Wire = string | Uint8Array;

/** Messages to octets and back. Stateless; `decode` throws MessageError and nothing else. */
export interface Serializer extends PayloadCodec {
  readonly name: SerializerName;
  /** Whether messages are octets (binary frames), not text. */
  readonly isBinary: boolean;
  /** In the handshake of RawSocket. */
  readonly rawSocketId: number;
  encode(message: Message): Wire;
  /** JSON takes octets, too, which have to be UTF-8. The message keeps views into `data`. */
  decode(data: Wire): Message;
}

type Named = Pick<Serializer, 'name'>;

/** `wamp.2.json`, or `wamp.2.json.batched`. */
export function subprotocolOf(serializer: Named, isBatched = false): string {
  return `wamp.2.${serializer.name}${isBatched ? '.batched' : ''}`;
}

/** The serializer and mode behind a subprotocol, if it is one of `serializers`. */
export function findSubprotocol<S extends Named>(
  name: string,
  serializers: readonly S[],
): { readonly serializer: S; readonly isBatched: boolean } | undefined {
  for (const serializer of serializers) {
    if (name === subprotocolOf(serializer)) return { serializer, isBatched: false };
    if (name === subprotocolOf(serializer, true)) return { serializer, isBatched: true };
  }
  return undefined;
}
