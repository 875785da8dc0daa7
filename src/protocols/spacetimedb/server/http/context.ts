import type { Clock } from '../../../../base/clock.js';
import type { Random } from '../../../../base/random.js';
import type { TokenAuthority } from '../../../../identity/tokens.js';
import type { Catalog } from '../catalog.js';

/** What the routes need of the server around them. */
export interface HttpContext {
  readonly catalog: Catalog;
  readonly authority: TokenAuthority;
  readonly clock: Clock;
  readonly random: Random;
  /** Of this server, for `/v1/health`. */
  readonly version: string;
}
