import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { waitUntilDurable } from '../../src/engine/log/commit-log.js';
import { loadModule } from '../../src/module/load-module.js';
import { schema } from '../../src/module/schema.js';
import { createServer } from '../../src/server/create-server.js';
import { answerParent } from '../framework/child.js';
import { COLD_ROOMS, largeDocument } from './large-document.js';

// The durable log is on.
answerParent({
  async start({ cold = false }: { readonly cold?: boolean }) {
    const server = await createServer({
      dataDirectory: mkdtempSync(join(tmpdir(), 'chorale-bench-')),
      databases: { notes: loadModule({ default: schema({}) }) },
      // The peers have no limit of updates per second; ours would stop a writer who types 5,000 letters a second for long.
      rooms: { '*path': { limits: { updatesPerSecond: Infinity } } },
    });
    if (cold) {
      const { documents } = server.database('notes')!;
      const update = largeDocument();
      for (let i = 0; i < COLD_ROOMS; i++) {
        const document = documents.open(`cold${i}`);
        documents.accept(document, update, { identity: undefined, connectionId: undefined });
        documents.close(document);
      }
    }
    // What is being written still is not what opens cost.
    await waitUntilDurable(server.database('notes')!.log);
    return { port: server.port };
  },
});
