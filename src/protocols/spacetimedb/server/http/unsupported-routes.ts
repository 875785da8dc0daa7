import { textAnswer } from './answers.js';
import type { AddRoute } from './routes.js';

/** Routes of the protocol that are not served say so, instead of a bare "not found". */
const UNSUPPORTED: readonly (readonly [method: string, pattern: string, text: string])[] = [
  // 404 is what the command line takes for "nothing to plan": it goes on to publish.
  [
    'POST',
    '/v1/database/:name/pre_publish',
    'migrations are not planned here: publish, and a changed schema is refused',
  ],
  ['POST', '/v1/database/:name/lock', 'databases cannot be locked on this server'],
  ['POST', '/v1/database/:name/unlock', 'databases cannot be locked on this server'],
  ['POST', '/v1/mcp', 'MCP is not served'],
  ['POST', '/v1/database/:name/mcp', 'MCP is not served'],
];

export function addUnsupportedRoutes(add: AddRoute): void {
  for (const [method, pattern, text] of UNSUPPORTED) {
    add(method, pattern, () => textAnswer(pattern.endsWith('pre_publish') ? 404 : 501, text));
  }
}
