import { join } from 'node:path';
import { AuthError } from './auth-error.js';
import { readOrCreatePrivateFile } from './private-file.js';
import type { Credentials, TokenAuthority } from './tokens.js';

export const OWNER_TOKEN_FILE = 'owner.token';

/** Where the owner's token of a server lies: commands on the same machine use it without being told. */
export function ownerTokenPath(configDirectory: string): string {
  return join(configDirectory, OWNER_TOKEN_FILE);
}

/**
 * The owner of a server: who may publish to it. Created on the first start, mode 0600, and read ever after.
 * Throws when the token there was not signed by this server's key.
 */
export async function loadOrCreateOwner(
  configDirectory: string,
  authority: TokenAuthority,
): Promise<Credentials> {
  const path = ownerTokenPath(configDirectory);
  const text = await readOrCreatePrivateFile(
    path,
    async () => `${(await authority.mintAnonymous()).token}\n`,
  );
  try {
    return await authority.verify(text.trim());
  } catch (cause) {
    if (!(cause instanceof AuthError)) throw cause;
    throw new Error(
      `the owner's token in ${path} is not valid on this server (${cause.message}). ` +
        `Restore the key it was signed with, or move the file away to get a new owner.`,
      { cause },
    );
  }
}
