import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrCreatePrivateFile } from './private-file.js';

export const PRIVATE_KEY_FILE = 'token-key.pem';
export const PUBLIC_KEY_FILE = 'token-key.pub.pem';

/**
 * The ECDSA P-256 pair that signs this server's tokens. Whoever has the private half can be anybody: it is created once,
 * readable by its owner only, and never leaves the machine.
 *
 * @example
 * const keys = await KeyPair.loadOrCreate('data/config');
 */
export class KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** SPKI PEM, for whoever wants to check our tokens. */
  readonly publicKeyPem: string;

  private constructor(privateKey: KeyObject) {
    this.privateKey = privateKey;
    this.publicKey = createPublicKey(privateKey);
    this.publicKeyPem = this.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  }

  /** A pair that lives as long as the process: tokens signed by it are worth nothing after a restart. */
  static generate(): KeyPair {
    return new KeyPair(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey);
  }

  /**
   * The pair in `directory`, created at the first call. Throws a PrivateFileError when others can read the private key,
   * and an Error when the file holds something else than a P-256 key.
   */
  static async loadOrCreate(directory: string): Promise<KeyPair> {
    const path = join(directory, PRIVATE_KEY_FILE);
    const pem = await readOrCreatePrivateFile(path, async () => exportPrivateKey(KeyPair.generate()));
    const pair = new KeyPair(parsePrivateKey(pem, path));
    // For people and tools; we derive the public key from the private one, so the two can never disagree.
    await writeFile(join(directory, PUBLIC_KEY_FILE), pair.publicKeyPem, { mode: 0o644 });
    return pair;
  }
}

function exportPrivateKey(pair: KeyPair): string {
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function parsePrivateKey(pem: string, path: string): KeyObject {
  const advice = `Restore it from a backup, or move it away to get a new one (all tokens become invalid).`;
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Error(`${path} is not a private key. ${advice}`, { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error(`${path} holds a key that is not ECDSA P-256. ${advice}`);
  }
  return key;
}
