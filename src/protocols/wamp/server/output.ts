import type { ChannelBindings } from '../../../net/channel-bindings.js';
import type { RouterMessage } from '../messages/message.js';
import type { SharedEvent } from './shared-event.js';

/**
 * - `sent`: queued, or silently dropped because the transport is gone
 * - `tooLong`: longer than this peer takes
 * - `unencodable`: a value has no form in this peer's serializer
 */
export type Sending = 'sent' | 'tooLong' | 'unencodable';

/** A transport as a session sees it. Nothing is written before the turn ends. */
export interface Output {
  /** Octets that the peer has not taken yet. */
  readonly queuedBytes: number;
  send(message: RouterMessage): Sending;
  /** Leaves the event out if this peer cannot take one like it. */
  sendEvent(event: SharedEvent): void;
  /** Lets go of the transport once all that was sent has left. */
  end(): void;
}

/** What is known of a transport: becomes Details.transport of the session. */
export interface TransportInfo {
  readonly type: 'websocket' | 'rawsocket' | 'longpoll' | 'memory';
  readonly serializer: string;
  readonly peer: string;
  /** A token that came with the connection, as a bearer. */
  readonly bearer?: string | undefined;
  /** Of the TLS channel; undefined without one. */
  readonly channelBindings?: ChannelBindings | undefined;
}
