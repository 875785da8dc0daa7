import { CliError, ExitCode } from './cli-error.js';
import type { ParamView, ReducerView } from './schema-view.js';

/**
 * The arguments of a call as SATS-JSON: a list, one value per parameter. Each word is JSON; where the parameter is text or
 * an identity, a bare word will do.
 */
export function encodeArguments(reducer: ReducerView, words: readonly string[]): string {
  if (words.length !== reducer.params.length) throw wrongCount(reducer, words.length);
  return `[${reducer.params.map((param, index) => encodeArgument(param, words[index] ?? '')).join(',')}]`;
}

/** How a reducer is called, for people: `send_message(text: string)`. */
export function signature({ name, params }: ReducerView): string {
  return `${name}(${params.map((param) => `${param.name}: ${param.type}`).join(', ')})`;
}

function encodeArgument(param: ParamView, word: string): string {
  const type = /^option<(.*)>$/.exec(param.type)?.[1] ?? param.type;
  const isOption = type !== param.type;
  // The text of numbers is sent as it stands: as numbers in between, large ones would lose digits.
  if (type === 'string' && !isJsonString(word)) return wrap(JSON.stringify(word), isOption);
  if (type === 'identity' && /^(0x)?[0-9a-f]{64}$/i.test(word)) {
    return wrap(`["0x${word.replace(/^0x/i, '')}"]`, isOption);
  }
  if (!isJson(word)) throw notJson(param, word);
  return word;
}

function wrap(json: string, isOption: boolean): string {
  return isOption ? `{"some":${json}}` : json;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isJsonString(text: string): boolean {
  return text.startsWith('"') && text.endsWith('"') && isJson(text);
}

function wrongCount(reducer: ReducerView, count: number): CliError {
  const wanted = reducer.params.length;
  const message = `${reducer.name} takes ${wanted} argument${wanted === 1 ? '' : 's'}, got ${count}`;
  return new CliError(message, { exitCode: ExitCode.USAGE, hint: `It is ${signature(reducer)}.` });
}

function notJson(param: ParamView, word: string): CliError {
  const message = `\`${param.name}\` is a ${param.type}, and ${word} is not JSON`;
  return new CliError(message, { exitCode: ExitCode.USAGE, hint: 'Quote it for your shell: \'{"x":1}\'.' });
}
