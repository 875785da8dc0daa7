/** A request that is answered with ERROR. The text goes to the peer: it tells nothing that he may not know. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly uri: string;

  constructor(uri: string, text = '') {
    super(text);
    this.uri = uri;
  }
}

/** A broken rule of the protocol: the session ends with ABORT. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
