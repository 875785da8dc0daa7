import { inspect } from 'node:util';
import type { Module } from './definition/build-module.js';
import type { ModuleLog } from './logs.js';

/** Writes down what a function of a module has thrown, with places in its author's files. @param where which one. */
export function writeCrash(
  log: ModuleLog,
  { positions }: Pick<Module, 'positions'>,
  where: string,
  error: unknown,
): void {
  const stack = error instanceof Error ? error.stack : undefined;
  const place = stack === undefined ? undefined : positions.findPlace(stack);
  const text = stack === undefined ? `threw ${messageOf(error)}` : positions.mapStack(authorsPart(stack));
  log.write('Panic', `${where}: ${text}`, place);
}

/** Anything can be thrown, also what has no text of its own. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error)
    return typeof thrown.message === 'string' ? thrown.message : inspect(thrown.message);
  return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 2 });
}

/** The trace down to where the host called a reducer (`runBody`): what is below is the same every time. */
function authorsPart(stack: string): string {
  const end = stack.search(/\n\s+at runBody /);
  return end < 0 ? stack : stack.slice(0, end);
}
