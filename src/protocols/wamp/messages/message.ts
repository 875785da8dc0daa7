import * as codes from './message-type.js';
import type { Payload } from './payload.js';

/*
 * The messages of WAMP v2 (spec "Messages"; 337 is an extension of Autobahn and Crossbar).
 * A message is one array: its code, the fields below in order, then the payload: nothing, [args], or [args, kwargs].
 *
 *   code  name            fields                                          payload  direction
 *   1     HELLO           realm uri, details dict                                  client -> router
 *   2     WELCOME         session id, details dict                                 router -> client
 *   3     ABORT           details dict, reason uri                        yes      both
 *   4     CHALLENGE       method string, extra dict                                router -> client
 *   5     AUTHENTICATE    signature string, extra dict                             client -> router
 *   6     GOODBYE         details dict, reason uri                                 both
 *   8     ERROR           requestType int, request id, details dict, error uri  yes  both (from a client: of 68)
 *   16    PUBLISH         request id, options dict, topic uri             yes      client -> router
 *   17    PUBLISHED       request id, publication id                               router -> client
 *   32    SUBSCRIBE       request id, options dict, topic uri                      client -> router
 *   33    SUBSCRIBED      request id, subscription id                              router -> client
 *   34    UNSUBSCRIBE     request id, subscription id                              client -> router
 *   35    UNSUBSCRIBED    request id (0: revoked), [details dict]                  router -> client
 *   36    EVENT           subscription id, publication id, details dict   yes      router -> client
 *   48    CALL            request id, options dict, procedure uri         yes      client -> router
 *   49    CANCEL          request id, options dict                                 client -> router
 *   50    RESULT          request id, details dict                        yes      router -> client
 *   64    REGISTER        request id, options dict, procedure uri                  client -> router
 *   65    REGISTERED      request id, registration id                              router -> client
 *   66    UNREGISTER      request id, registration id                              client -> router
 *   67    UNREGISTERED    request id (0: revoked), [details dict]                  router -> client
 *   68    INVOCATION      request id, registration id, details dict       yes      router -> client
 *   69    INTERRUPT       request id, options dict                                 router -> client
 *   70    YIELD           request id, options dict                        yes      client -> router
 *   337   EVENT_RECEIVED  publication id                                           client -> router
 */

/* Of what a payload is: the router's may be octets that it never reads (payload.ts), a client's are values. */

/** Options and Details. */
export type Dict = Readonly<Record<string, unknown>>;

export const MessageType: typeof codes = codes;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];
type T = typeof MessageType;

/** `messageName(337)` is `EVENT_RECEIVED`. */
export function messageName(type: number): string {
  const [name] = Object.entries(codes).find(([, code]) => code === type) ?? [];
  return name?.replace(/[A-Z]/g, '_$&').toUpperCase() ?? `message type ${type}`;
}

export interface Hello {
  readonly type: T['hello'];
  readonly realm: string;
  readonly details: Dict;
}
export interface Welcome {
  readonly type: T['welcome'];
  readonly session: number;
  readonly details: Dict;
}
export interface Abort<P = Payload> {
  readonly type: T['abort'];
  readonly details: Dict;
  readonly reason: string;
  readonly payload: P;
}
export interface Challenge {
  readonly type: T['challenge'];
  readonly method: string;
  readonly extra: Dict;
}
export interface Authenticate {
  readonly type: T['authenticate'];
  readonly signature: string;
  readonly extra: Dict;
}
export interface Goodbye {
  readonly type: T['goodbye'];
  readonly details: Dict;
  readonly reason: string;
}
export interface ErrorMessage<P = Payload> {
  readonly type: T['error'];
  /** The code of the message that failed. */
  readonly requestType: number;
  readonly request: number;
  readonly details: Dict;
  readonly error: string;
  readonly payload: P;
}
export interface Publish<P = Payload> {
  readonly type: T['publish'];
  readonly request: number;
  readonly options: Dict;
  readonly topic: string;
  readonly payload: P;
}
export interface Published {
  readonly type: T['published'];
  readonly request: number;
  readonly publication: number;
}
export interface Subscribe {
  readonly type: T['subscribe'];
  readonly request: number;
  readonly options: Dict;
  readonly topic: string;
}
export interface Subscribed {
  readonly type: T['subscribed'];
  readonly request: number;
  readonly subscription: number;
}
export interface Unsubscribe {
  readonly type: T['unsubscribe'];
  readonly request: number;
  readonly subscription: number;
}
export interface Unsubscribed {
  readonly type: T['unsubscribed'];
  /** 0 when the router revoked the subscription; `details` says which one and why. */
  readonly request: number;
  readonly details?: Dict;
}
export interface Event<P = Payload> {
  readonly type: T['event'];
  readonly subscription: number;
  readonly publication: number;
  readonly details: Dict;
  readonly payload: P;
}
export interface Call<P = Payload> {
  readonly type: T['call'];
  readonly request: number;
  readonly options: Dict;
  readonly procedure: string;
  readonly payload: P;
}
export interface Cancel {
  readonly type: T['cancel'];
  readonly request: number;
  readonly options: Dict;
}
export interface Result<P = Payload> {
  readonly type: T['result'];
  readonly request: number;
  readonly details: Dict;
  readonly payload: P;
}
export interface Register {
  readonly type: T['register'];
  readonly request: number;
  readonly options: Dict;
  readonly procedure: string;
}
export interface Registered {
  readonly type: T['registered'];
  readonly request: number;
  readonly registration: number;
}
export interface Unregister {
  readonly type: T['unregister'];
  readonly request: number;
  readonly registration: number;
}
export interface Unregistered {
  readonly type: T['unregistered'];
  /** 0 when the router revoked the registration; `details` says which one and why. */
  readonly request: number;
  readonly details?: Dict;
}
export interface Invocation<P = Payload> {
  readonly type: T['invocation'];
  readonly request: number;
  readonly registration: number;
  readonly details: Dict;
  readonly payload: P;
}
export interface Interrupt {
  readonly type: T['interrupt'];
  readonly request: number;
  readonly options: Dict;
}
export interface Yield<P = Payload> {
  readonly type: T['yield'];
  readonly request: number;
  readonly options: Dict;
  readonly payload: P;
}
export interface EventReceived {
  readonly type: T['eventReceived'];
  readonly publication: number;
}

/** What a client sends. */
export type ClientMessage<P = Payload> =
  | Hello
  | Abort<P>
  | Authenticate
  | Goodbye
  | ErrorMessage<P>
  | Publish<P>
  | Subscribe
  | Unsubscribe
  | Call<P>
  | Cancel
  | Register
  | Unregister
  | Yield<P>
  | EventReceived;

/** What a router sends. */
export type RouterMessage<P = Payload> =
  | Welcome
  | Abort<P>
  | Challenge
  | Goodbye
  | ErrorMessage<P>
  | Published
  | Subscribed
  | Unsubscribed
  | Event<P>
  | Result<P>
  | Registered
  | Unregistered
  | Invocation<P>
  | Interrupt;

export type Message<P = Payload> = ClientMessage<P> | RouterMessage<P>;

const FROM_CLIENT: ReadonlySet<number> = new Set([1, 3, 5, 6, 8, 16, 32, 34, 48, 49, 64, 66, 70, 337]);
const FROM_ROUTER: ReadonlySet<number> = new Set([2, 3, 4, 6, 8, 17, 33, 35, 36, 50, 65, 67, 68, 69]);

/** Whether a client may send it at all; the session's state decides whether now. */
export function isClientMessage<P>(message: Message<P>): message is ClientMessage<P> {
  return FROM_CLIENT.has(message.type);
}

/** Whether a router may send it at all. */
export function isRouterMessage<P>(message: Message<P>): message is RouterMessage<P> {
  return FROM_ROUTER.has(message.type);
}
