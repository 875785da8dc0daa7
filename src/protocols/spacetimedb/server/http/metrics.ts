import type { DatabaseRuntime } from '../runtime.js';
import type { HttpContext } from './context.js';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/** The figures of the server in the text format of Prometheus. */
export function metricsText({ catalog }: HttpContext): string {
  const databases = [...catalog.databases];
  const perDatabase = (value: (database: DatabaseRuntime) => number): Metric['samples'] =>
    databases.map((database) => ({ labels: labelsOf(database), value: value(database) }));
  const cpu = process.cpuUsage();
  const metrics: readonly Metric[] = [
    { name: 'chorale_databases', help: 'Databases.', type: 'gauge', samples: [{ value: databases.length }] },
    {
      name: 'chorale_connections',
      help: 'Open client connections.',
      type: 'gauge',
      samples: perDatabase((database) => database.sessions.size),
    },
    {
      name: 'chorale_transactions_total',
      help: 'Transactions in the log, since the database was created.',
      type: 'counter',
      samples: perDatabase((database) => database.log.lastOffset),
    },
    {
      name: 'chorale_transactions_unconfirmed',
      help: 'Transactions that are not on disk yet.',
      type: 'gauge',
      samples: perDatabase((database) => database.log.lastOffset - database.log.durableOffset),
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory.',
      type: 'gauge',
      samples: [{ value: process.memoryUsage.rss() }],
    },
    {
      name: 'process_cpu_seconds_total',
      help: 'User and system CPU time.',
      type: 'counter',
      samples: [{ value: (cpu.user + cpu.system) / 1e6 }],
    },
  ];
  return metrics.map(metricText).join('');
}

function labelsOf(database: DatabaseRuntime): Record<string, string> {
  return { database: database.names[0] ?? database.identity.toHexString() };
}

function metricText({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => {
    // Names and identities hold nothing that would need escaping.
    const inner = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `${name}${inner.length > 0 ? `{${inner.join(',')}}` : ''} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
