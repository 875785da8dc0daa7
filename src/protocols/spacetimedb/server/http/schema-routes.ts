import { HttpError } from '../../../../net/http/http-error.js';
import { encodeModuleDefV10Json } from '../schema/module-def-v10.js';
import { encodeModuleDefV9Json } from '../schema/module-def-v9.js';
import { jsonTextAnswer } from './answers.js';
import { ofDatabase } from './authentication.js';
import type { HttpContext } from './context.js';
import type { AddRoute } from './routes.js';

export function addSchemaRoutes(add: AddRoute, context: HttpContext): void {
  add(
    'GET',
    '/v1/database/:name/schema',
    ofDatabase(context, ({ request, database }) => {
      const { def } = database.host;
      switch (request.query.get('version')) {
        case '9':
          return jsonTextAnswer(200, encodeModuleDefV9Json(def));
        case '10':
          return jsonTextAnswer(200, encodeModuleDefV10Json(def));
        default:
          throw new HttpError(400, 'version is 9 or 10');
      }
    }),
  );
}
