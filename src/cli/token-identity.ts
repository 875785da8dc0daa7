import { deriveIdentity } from '../values/derive-identity.js';
import { CliError } from './cli-error.js';

/** Whose token this is, without asking its server: 64 hexadecimal digits. The signature is not checked. */
export function tokenIdentity(token: string): string {
  const { iss, sub, hex_identity: hex } = readPayload(token);
  if (typeof iss !== 'string' || typeof sub !== 'string') throw notAToken();
  const identity = deriveIdentity(iss, sub).toHexString();
  if (hex !== undefined && hex !== identity)
    throw notAToken('its identity is not that of its issuer and subject');
  return identity;
}

function readPayload(token: string): Readonly<Record<string, unknown>> {
  try {
    const parts = token.split('.');
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString());
    if (parts.length === 3 && typeof payload === 'object' && payload !== null) {
      return payload as Record<string, unknown>;
    }
  } catch {
    // Not base64url, not JSON: not a token.
  }
  throw notAToken();
}

function notAToken(why = 'it must have three parts with dots between them'): CliError {
  return CliError.usage(
    `this is not a token: ${why}`,
    'Copy it whole, as `chorale login` or an issuer gave it.',
  );
}
