/*
 * The seam between a connection and what carries its frames: a WebSocket, or memory in tests and in-process use.
 */

export interface TransportRequest {
  /** `ws://host/v1/database/NAME/subscribe?...`, without the token. */
  readonly url: URL;
  /** Offered subprotocols, best first. */
  readonly protocols: readonly string[];
  readonly token: string | undefined;
}

export interface CloseInfo {
  /** 1006 when the connection broke without a close frame. */
  readonly code: number;
  readonly reason: string;
  /** The platform's error, if it told. */
  readonly cause?: unknown;
}

/** What a transport tells. Nothing is told before `OpenTransport` has returned, and nothing after `onClose`. */
export interface TransportEvents {
  /** @param protocol what the server chose; empty when it did not say. */
  onOpen(protocol: string): void;
  /** One whole frame. The bytes may be reused when the call returns. */
  onMessage(frame: Uint8Array): void;
  /** Exactly once, also when the connection could not be made. */
  onClose(info: CloseInfo): void;
}

export interface Transport {
  /** Sends one frame; the bytes belong to the transport from now on. Call it between onOpen and onClose. */
  send(frame: Uint8Array): void;
  /** What was handed over and did not leave yet. */
  readonly bufferedBytes: number;
  close(code?: number, reason?: string): void;
}

export type OpenTransport = (request: TransportRequest, events: TransportEvents) => Transport;
