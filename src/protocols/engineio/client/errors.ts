/** Everything that this client throws on purpose. */
export class EngineIOError extends Error {
  override readonly name: string = 'EngineIOError';
}

/** The server could not be reached, or refused; `body` is the JSON of its refusal, if there was any. */
export class ConnectionError extends EngineIOError {
  override readonly name = 'ConnectionError';
  readonly body: unknown;

  constructor(message: string, body?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.body = body;
  }
}

/** A message is larger than the server takes. */
export class ContentTooLongError extends EngineIOError {
  override readonly name = 'ContentTooLongError';
  readonly bytes: number;
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number) {
    super(`a message of ${bytes} bytes was not sent: the server takes at most ${bytesMax}`);
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}

/** There is no connection to send over. */
export class SocketIsClosedError extends EngineIOError {
  override readonly name = 'SocketIsClosedError';
}

/** Thrown by `getNowait()` of an empty queue. */
export class QueueEmpty extends EngineIOError {
  override readonly name = 'QueueEmpty';
}
