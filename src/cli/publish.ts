import { Option } from 'commander';
import { CliError } from './cli-error.js';
import { ServerError, type PublishResult, type ServerApi } from './server-api.js';

/** When publishing deletes the data that is there. */
export type DeleteData = (typeof DELETE_DATA_MODES)[number];

export const DELETE_DATA_MODES = ['always', 'on-conflict', 'never'] as const;

/** `--delete-data` alone means always. */
export function deleteDataOption(): Option {
  return new Option(
    '-c, --delete-data [when]',
    'delete the data that is there: always, or only if the schema has changed',
  )
    .choices(DELETE_DATA_MODES)
    .preset('always')
    .default('never');
}

/** Publishes, and says what to do when the server refuses because the schema has changed. */
export async function publishProgram(
  server: ServerApi,
  database: string,
  program: string,
  deleteData: DeleteData,
): Promise<PublishResult> {
  try {
    return await server.publish(database, program, deleteData === 'always');
  } catch (error) {
    if (!isSchemaConflict(error)) throw error;
    if (deleteData === 'on-conflict') return await server.publish(database, program, true);
    const hint = 'Say --delete-data=on-conflict to start again with empty tables.';
    throw new CliError(error.message, { cause: error, hint });
  }
}

/** The protocol has one status for several refusals; the first words of this one are part of it. */
function isSchemaConflict(error: unknown): error is ServerError {
  return (
    error instanceof ServerError &&
    error.status === 400 &&
    error.message.startsWith('Database update rejected')
  );
}
