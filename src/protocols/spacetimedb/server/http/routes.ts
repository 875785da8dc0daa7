import { corsAnyOrigin } from '../../../../net/http/cors.js';
import type { HttpHandler } from '../../../../net/http/http-message.js';
import type { HttpRouter } from '../../../../net/http/http-router.js';
import { addCallRoutes } from './call-routes.js';
import type { HttpContext } from './context.js';
import { addDatabaseRoutes } from './database-routes.js';
import { addIdentityRoutes } from './identity-routes.js';
import { addLogRoutes } from './log-routes.js';
import { addNameRoutes } from './name-routes.js';
import { addPublishRoutes } from './publish-routes.js';
import { addSchemaRoutes } from './schema-routes.js';
import { addServerRoutes } from './server-routes.js';
import { addSqlRoutes } from './sql-routes.js';
import { addUnsupportedRoutes } from './unsupported-routes.js';

export type AddRoute = (method: string, pattern: string, handler: HttpHandler) => void;

/** Adds every route under `/v1`. Pages of any origin may call them. */
export function addRoutes(router: HttpRouter, context: HttpContext): void {
  const add: AddRoute = (method, pattern, handler) =>
    router.route(method, pattern, handler, { cors: corsAnyOrigin });
  addServerRoutes(add, context);
  addIdentityRoutes(add, context);
  addPublishRoutes(add, context);
  addDatabaseRoutes(add, context);
  addNameRoutes(add, context);
  addCallRoutes(add, context);
  addSqlRoutes(add, context);
  addLogRoutes(add, context);
  addSchemaRoutes(add, context);
  addUnsupportedRoutes(add);
}
