import { textAnswer } from './answers.js';
import type { AddRoute } from './routes.js';

interface UnsupportedRoute {
  readonly methods: readonly string[];
  readonly pattern: string;
  readonly status: 404 | 501;
  readonly text: string;
}

const ANY_METHOD = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const NO_HANDLER = 'Database has not registered a handler for this route';

/** Routes of the protocol that are not served say so, instead of a bare "not found". */
const UNSUPPORTED: readonly UnsupportedRoute[] = [
  {
    methods: ['POST'],
    pattern: '/v1/database/:name/pre_publish',
    // What the command line takes for "nothing to plan": it goes on to publish.
    status: 404,
    text: 'migrations are not planned here: publish, and a changed schema is refused',
  },
  ...['lock', 'unlock'].map((action): UnsupportedRoute => ({
    methods: ['POST'],
    pattern: `/v1/database/:name/${action}`,
    status: 501,
    text: 'databases cannot be locked on this server',
  })),
  ...['/v1/mcp', '/v1/database/:name/mcp'].map((pattern): UnsupportedRoute => ({
    methods: ['POST'],
    pattern,
    status: 501,
    text: 'MCP is not served',
  })),
  {
    methods: ['GET', 'POST', 'PUT'],
    pattern: '/v1/energy/:identity',
    status: 501,
    text: 'nothing is metered on this server',
  },
  // Modules cannot have handlers yet, so none has: the protocol's own answer.
  { methods: ANY_METHOD, pattern: '/v1/database/:name/route', status: 404, text: NO_HANDLER },
  { methods: ANY_METHOD, pattern: '/v1/database/:name/route/*path', status: 404, text: NO_HANDLER },
];

export function addUnsupportedRoutes(add: AddRoute): void {
  for (const { methods, pattern, status, text } of UNSUPPORTED) {
    for (const method of methods) add(method, pattern, () => textAnswer(status, text));
  }
}
