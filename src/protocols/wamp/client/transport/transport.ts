import type { TlsOptions } from '../../../../base/connecting.js';
import type { ChannelBindingType } from '../auth/auth-method.js';
import type { Serializer } from '../serializer/serializer.js';

/* The seam between a session and what carries its frames: WebSocket, RawSocket, long-poll, memory. */

/** One encoded message: text for JSON over WebSocket, bytes otherwise. */
export type Frame = string | Uint8Array;

export interface TransportRequest {
  readonly url: URL;
  /** Offered, best first. */
  readonly serializers: readonly Serializer[];
  /** Node: `false` accepts any certificate; an object says more. True unless given. */
  readonly sslVerify?: boolean | TlsOptions | undefined;
  /** Gives up opening. */
  readonly signal?: AbortSignal | undefined;
}

export interface TransportEvents {
  /** One whole frame, which belongs to the receiver. */
  onFrame(frame: Frame): void;
  /** Exactly once. `cause` is what the platform says of a connection that was not closed in order, if it says something. */
  onClose(reason: string, cause?: unknown): void;
}

/** An open connection. */
export interface Transport {
  /** The one of the offered serializers that both ends use. */
  readonly serializer: Serializer;
  /** The largest frame that the other end takes; absent if it did not say. */
  readonly frameBytesMax?: number | undefined;
  /** What was handed over and did not leave yet, where the platform tells. */
  readonly bufferedBytes: number;
  /** What names the TLS channel beneath, for proofs of identity that are bound to it. */
  channelBinding?(type: ChannelBindingType): Uint8Array<ArrayBuffer> | undefined;
  /**
   * From now on these are told, also that it has closed before. Routers say nothing before HELLO: where frames could come earlier all
   * the same, they may be lost.
   */
  attach(events: TransportEvents): void;
  /** Sends frames, in order, in as few writes as the transport can. Nothing happens after it has closed. */
  send(frames: readonly Frame[]): void;
  /** `onClose` follows, sooner or later. */
  close(): void;
}

/** Rejects with TransportError. */
export type OpenTransport = (request: TransportRequest) => Promise<Transport>;
