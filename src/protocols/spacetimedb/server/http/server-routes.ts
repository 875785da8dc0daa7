import type { HttpResponse } from '../../../../net/http/http-message.js';
import { emptyAnswer, jsonAnswer } from './answers.js';
import { identifyCaller } from './authentication.js';
import type { HttpContext } from './context.js';
import { metricsText } from './metrics.js';
import type { AddRoute } from './routes.js';

/** Routes about the server as a whole. */
export function addServerRoutes(add: AddRoute, context: HttpContext): void {
  add('GET', '/v1/ping', async (request) => {
    // Who shows a token hears whether it is good.
    await identifyCaller(context, request);
    return emptyAnswer();
  });
  add('GET', '/v1/health', () => health(context));
  add('GET', '/v1/metrics', () => ({
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: metricsText(context),
  }));
  add('GET', '/v1/prometheus/sd_config', ({ headers }) =>
    jsonAnswer(200, [{ targets: [headers.host ?? 'localhost'], labels: {} }]),
  );
}

function health({ version }: HttpContext): HttpResponse {
  // One process is one node.
  return jsonAnswer(200, { package_name: 'chorale', version, nodes: [0], schedulable: true });
}
