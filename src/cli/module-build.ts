import { BundleError, bundleModule, findEntry, type Bundle } from '../module/bundle.js';
import { CliError } from './cli-error.js';

/** The module at a path as one program. What is wrong with the source is said as it stands there. */
export async function buildModule(path: string): Promise<Bundle> {
  try {
    return await bundleModule(path);
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause;
    const hint = cause.code === 'NO_ENTRY' ? 'Make a new application with `chorale init my-app`.' : undefined;
    throw new CliError(cause.message, { cause, hint });
  }
}

/** Whether there is a module at the path at all; what is wrong with it shows when it is built. */
export function hasModule(path: string): boolean {
  try {
    findEntry(path);
    return true;
  } catch {
    return false;
  }
}

/** `1.2 kB` */
export function describeSize(program: string): string {
  return `${(Buffer.byteLength(program) / 1000).toFixed(1)} kB`;
}
