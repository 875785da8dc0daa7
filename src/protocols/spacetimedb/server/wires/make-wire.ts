import { assertNever } from '../../../../base/assert.js';
import { RESUMABLE_SUBPROTOCOL } from '../../messages/frame.js';
import type { Subprotocol, TextSubprotocol, V1Subprotocol } from '../../messages/frame.js';
import { brotliFrames, gzipFrames, joinedFrames, singleFrames } from '../framing.js';
import type { Framing } from '../framing.js';
import type { Wire, WireSession } from '../wire.js';
import { CurrentWire } from './current-wire.js';
import { ResumableWire } from './resumable-wire.js';
import { TextWire } from './text-wire.js';
import { V1Bsatn } from './v1-bsatn.js';
import { V1Json } from './v1-json.js';
import { V1Wire } from './v1-wire.js';

/** What clients may ask for; as in the query of the WebSocket's address. */
export type AskedCompression = 'None' | 'Gzip' | 'Brotli';

export interface WireOptions {
  readonly protocol: Subprotocol | V1Subprotocol | TextSubprotocol;
  /** Used in v1.bsatn only. Default None. */
  readonly compression?: AskedCompression;
  /** v1: leave out who did it from updates by others. */
  readonly isLight?: boolean;
}

const V1_FRAMING: Readonly<Record<AskedCompression, Framing>> = {
  None: singleFrames,
  Gzip: gzipFrames,
  Brotli: brotliFrames,
};

/** The wire of a subprotocol. */
export function makeWire(session: WireSession, options: WireOptions): Wire {
  const { protocol, compression = 'None', isLight = false } = options;
  switch (protocol) {
    case RESUMABLE_SUBPROTOCOL:
      return new ResumableWire(session);
    case 'v3.bsatn.spacetimedb':
      return new CurrentWire(session, joinedFrames);
    case 'v2.bsatn.spacetimedb':
      return new CurrentWire(session, singleFrames);
    case 'v1.bsatn.spacetimedb':
      return new V1Wire(session, new V1Bsatn(session, V1_FRAMING[compression]), isLight);
    case 'v1.json.spacetimedb':
      return new V1Wire(session, new V1Json(session), isLight);
    case 'v1.text.spacetimedb':
      return new TextWire(session);
    default:
      return assertNever(protocol);
  }
}
