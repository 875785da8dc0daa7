import { isDict } from '../messages/fields.js';
import { type Authenticate, type Dict, type Hello, MessageType } from '../messages/message.js';
import { isUri, Uris } from '../messages/uri.js';
import { type AuthStep, denied, type Principal } from './auth/authenticator.js';
import type { Output, TransportInfo } from './output.js';
import type { Realm } from './realm.js';
import type { WampRouter } from './router.js';

/** How it ended. The text goes to a peer who is nobody yet: it tells nothing that he may not know. */
export type JoinOutcome =
  | {
      readonly kind: 'welcome';
      readonly realm: Realm;
      readonly session: number;
      readonly method: string;
      readonly principal: Principal;
      readonly roles: Dict;
    }
  | { readonly kind: 'refused'; readonly reason: string; readonly text: string };

type Challenge = Extract<AuthStep, { kind: 'challenge' }>;

interface Greeting {
  readonly realm: Realm;
  readonly session: number;
  readonly method: string;
  readonly roles: Dict;
}

const NO_SUCH_REALM = { kind: 'refused', reason: Uris.noSuchRealm, text: 'there is no such realm' } as const;

/** From HELLO over CHALLENGE and AUTHENTICATE, if any, to who it is. Ends once. */
export class Joining {
  readonly #router: WampRouter;
  readonly #output: Output;
  readonly #transport: TransportInfo;
  readonly #onEnd: (outcome: JoinOutcome) => void;
  #greeting: Greeting | undefined;
  #challenge: Challenge | undefined;
  #isOver = false;

  constructor(
    router: WampRouter,
    output: Output,
    transport: TransportInfo,
    onEnd: (outcome: JoinOutcome) => void,
  ) {
    this.#router = router;
    this.#output = output;
    this.#transport = transport;
    this.#onEnd = onEnd;
  }

  greet({ realm: name, details }: Hello): void {
    const { roles, authid = null } = details;
    const offered: unknown = details['authmethods'] ?? ['anonymous'];
    if (!isDict(roles) || Object.keys(roles).length === 0) return this.#violate('roles names no role');
    if (!Array.isArray(offered)) return this.#violate('authmethods is no list');
    if (authid !== null && typeof authid !== 'string') return this.#violate('authid is no string');
    const realm = isUri(name) ? this.#router.findRealm(name) : undefined;
    if (realm === undefined) return this.#end(NO_SUCH_REALM);
    const authenticator = this.#router.findAuthenticator(offered.length === 0 ? ['anonymous'] : offered);
    if (authenticator === undefined) {
      const text = 'none of the offered authentication methods is accepted';
      return this.#refuse(Uris.noMatchingAuthMethod, text);
    }
    const session = this.#router.newSessionId();
    this.#greeting = { realm, session, method: authenticator.name, roles };
    const authextra = isDict(details['authextra']) ? details['authextra'] : {};
    const transport = this.#transport;
    const request = { realm: name, authid: authid ?? undefined, authextra, session, transport };
    this.#take(() => authenticator.begin(request));
  }

  /** Whether somebody waited for it. */
  authenticate({ signature, extra }: Authenticate): boolean {
    const challenge = this.#challenge;
    if (challenge === undefined) return false;
    this.#challenge = undefined;
    this.#take(() => challenge.answer(signature, extra));
    return true;
  }

  /** The transport has gone, or patience ended: what authenticators still find out is nobody's business. */
  abandon(): void {
    this.#isOver = true;
    this.#challenge = undefined;
  }

  /** Goes one step of the authentication. */
  #take(step: () => AuthStep | Promise<AuthStep>): void {
    const fail = (error: unknown): void => {
      this.#router.services.onError(error, 'authentication');
      this.#follow(denied('the authenticator failed'));
    };
    try {
      const next = step();
      if (next instanceof Promise) next.then((decided) => this.#follow(decided), fail);
      else this.#follow(next);
    } catch (error) {
      fail(error);
    }
  }

  #follow(step: AuthStep): void {
    if (this.#isOver) return;
    const { realm, ...greeting } = this.#greeting!;
    if (step.kind === 'denied') return this.#refuse(Uris.authenticationFailed, 'authentication failed');
    if (step.kind === 'challenge') {
      this.#challenge = step;
      this.#output.send({ type: MessageType.challenge, method: greeting.method, extra: step.extra });
      return;
    }
    // The realm may have been closed meanwhile.
    if (this.#router.realm(realm.name) !== realm) return this.#end(NO_SUCH_REALM);
    this.#end({ kind: 'welcome', realm, ...greeting, principal: step.principal });
  }

  #violate(text: string): void {
    this.#refuse(Uris.protocolViolation, `HELLO.Details.${text}`);
  }

  #refuse(reason: string, text: string): void {
    this.#end({ kind: 'refused', reason, text });
  }

  #end(outcome: JoinOutcome): void {
    this.abandon();
    this.#onEnd(outcome);
  }
}
