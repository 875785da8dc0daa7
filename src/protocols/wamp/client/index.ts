/* A WAMP v2 client for browsers and Node, after aiowamp. The package's entry is `src/client/wamp.ts`. */

export type { EngineTransports, TlsOptions } from '../../../base/connecting.js';
export { cborSerializer } from './serializer/cbor.js';
export { jsonSerializer } from './serializer/json.js';
export { msgpackSerializer } from './serializer/msgpack.js';
export { MessageType } from '../messages/message.js';
export type { Message, RouterMessage } from './message.js';
export type { Serializer } from './serializer/serializer.js';

export type { AnyApi, ApiType, ProcedureType, TopicType } from './api.js';
export { Overflow } from './async-queue.js';
export type {
  AuthContext,
  AuthExchange,
  AuthMethod,
  Challenge,
  ChannelBindingType,
  Proof,
} from './auth/auth-method.js';
export { cryptosignAuth, ed25519Signer } from './auth/cryptosign.js';
export type { CryptosignOptions, Ed25519Signer } from './auth/cryptosign.js';
export { AuthKeyring } from './auth/keyring.js';
export { scramAuth } from './auth/scram.js';
export { anonymousAuth, ticketAuth, tokenAuth } from './auth/ticket.js';
export { crAuth } from './auth/wampcra.js';
export { BlackWhiteList } from './black-white-list.js';
export type { BlackWhiteListInit, Receiver } from './black-white-list.js';
export { Call } from './call.js';
export type { CallOptions } from './call-options.js';
export { CallStream } from './call-stream.js';
export type { StreamOptions } from './call-stream.js';
export { Registration } from './callee.js';
export type { Handler, RegisterOptions } from './callee.js';
export { Client } from './client.js';
export type { AnyClient, ClientEvents, ClientOptions } from './client.js';
export { connect, connectTransport } from './connect.js';
export type { ConnectOptions, TransportOptions } from './connect.js';
export { ErrorMap, isWampError, setInvocationError } from './error-map.js';
export type { ErrorClass, ErrorFactory } from './error-map.js';
export * from './errors.js';
export { getEvents } from './event-history.js';
export { EventStream } from './event-stream.js';
export type { EventBufferOptions } from './event-stream.js';
export { CLIENT_ROLES } from './features.js';
export { IdGenerator } from './id-generator.js';
export type { Invocation } from './invocation.js';
export { joinRealm } from './join-realm.js';
export type { JoinOptions } from './join-realm.js';
export type { ClientState } from './link.js';
export type { LivenessOptions } from './liveness.js';
export { meta, testament } from './meta.js';
export type { Args, Arguments, Dict, Kwargs } from './payload.js';
export { PassThru } from './payload-passthru.js';
export type { PassThruInit } from './payload-passthru.js';
export { CancelMode, InvocationPolicy, MatchPolicy } from './policies.js';
export type { PublishOptions } from './publish-options.js';
export type { ReconnectOptions } from './reconnect.js';
export { InvocationProgress, InvocationResult, WampArguments, progress, result } from './results.js';
export { lastYieldIsResult } from './last-yield.js';
export { Session } from './session.js';
export type { SessionEnd } from './session.js';
export { Subscription } from './subscriber.js';
export type { EventCallback, SubscribeOptions } from './subscriber.js';
export { SubscriptionEvent } from './subscription-event.js';
export { Template, applyTemplate, event, procedure } from './template.js';
export type { EventTemplateOptions, Parameter, ProcedureTemplateOptions } from './template.js';
export { openLongPoll } from './transport/long-poll.js';
export { memoryTransport } from './transport/memory.js';
export type { MemoryAccept, MemoryHandler, MemoryPeer } from './transport/memory.js';
export { getTransportFactory, registerTransportFactory } from './transport/registry.js';
export type {
  Frame,
  OpenTransport,
  Transport,
  TransportEvents,
  TransportRequest,
} from './transport/transport.js';
export { Uri, policyMatch, prefixMatch, uri, wildcardMatch } from './uri.js';
export type { UriPattern } from './uri.js';
export { UriMap } from './uri-map.js';
