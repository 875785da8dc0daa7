import type { RoomDefinition, RoomDefinitions } from '../../../documents/room-definition.js';
import { matchPattern, parsePattern, type PathPattern } from '../../../net/http/path.js';

export interface MatchedRoom {
  readonly definition: RoomDefinition;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds which definition a room's name falls under. */
export class RoomPatterns {
  readonly #patterns: readonly { readonly pattern: PathPattern; readonly definition: RoomDefinition }[];

  /** Throws for a pattern that is none. */
  constructor(definitions: RoomDefinitions) {
    this.#patterns = Object.entries(definitions).map(([text, definition]) => ({
      pattern: parsePattern(`/${text.replace(/^\/+/, '')}`),
      definition,
    }));
  }

  find(id: string): MatchedRoom | undefined {
    const segments = id.split('/');
    for (const { pattern, definition } of this.#patterns) {
      const params = matchPattern(pattern, segments);
      if (params !== undefined) return { definition, params };
    }
    return undefined;
  }
}
