import type { ApiType, AnyApi } from './api.js';
import type { Handler, RegisterOptions } from './callee.js';
import type { AnyClient, Client } from './client.js';
import { connect } from './connect.js';
import type { ConnectOptions } from './connect.js';
import { InvalidArgument } from './errors.js';
import type { Kwargs } from './payload.js';
import type { WampArguments } from './results.js';
import type { EventCallback, SubscribeOptions } from './subscriber.js';

/*
 * Procedures and event handlers, written down before there is a client. A template binds positional and named arguments to the
 * parameters that it names, as a signature would:
 *
 *     const shop = new Template({ uriPrefix: 'com.shop.' });
 *     shop.procedure('price', (article, { currency }) => ..., { parameters: ['article', { rest: 'named' }] });
 *     await shop.apply(client);
 *
 * Decorators do the same for the methods of a class, which `applyTemplate` brings to a client.
 */

/**
 * One parameter: its name, by which it can be given, too; with a default it may be left out. `rest` takes all further positional
 * (`'positional'`) or named (`'named'`) arguments.
 */
export type Parameter =
  | string
  | { readonly name: string; readonly default: unknown }
  | { readonly rest: 'positional' | 'named' };

interface Binding {
  /** Without it the handler is given the invocation or event alone; with it, the arguments, and that behind them. */
  readonly parameters?: readonly Parameter[];
}

export interface ProcedureTemplateOptions extends RegisterOptions, Binding {}
export interface EventTemplateOptions extends SubscribeOptions, Binding {}

// oxlint-disable-next-line typescript/no-explicit-any -- parameters are whatever the template names.
type BoundFunction = (...parameters: any[]) => unknown;

type Entry =
  | {
      readonly kind: 'procedure';
      readonly uri: string;
      readonly handler: Handler;
      readonly options: RegisterOptions;
    }
  | {
      readonly kind: 'event';
      readonly uri: string;
      readonly handler: EventCallback;
      readonly options: SubscribeOptions;
    };

export class Template {
  readonly #uriPrefix: string;
  readonly #entries: Entry[] = [];

  constructor(options: { readonly uriPrefix?: string } = {}) {
    this.#uriPrefix = options.uriPrefix ?? '';
  }

  /** Without a URI, the function's name in lower case is one. */
  procedure(uri: string | undefined, handler: BoundFunction, options: ProcedureTemplateOptions = {}): this {
    const { parameters, ...rest } = options;
    const name = uri ?? handler.name.toLowerCase();
    this.#entries.push({
      kind: 'procedure',
      uri: this.#uriPrefix + name,
      handler: bind(handler, parameters),
      options: rest,
    });
    return this;
  }

  event(uri: string, callback: BoundFunction, options: EventTemplateOptions = {}): this {
    const { parameters, ...rest } = options;
    this.#entries.push({
      kind: 'event',
      uri: this.#uriPrefix + uri,
      handler: bind(callback, parameters),
      options: rest,
    });
    return this;
  }

  /** Registers and subscribes all of it. Rejects with the first error. */
  async apply(client: AnyClient): Promise<void> {
    const untyped = client as Client;
    await Promise.all(
      this.#entries.map(async (entry) => {
        if (entry.kind === 'procedure') await untyped.register(entry.uri, entry.handler, entry.options);
        else await untyped.subscribe(entry.uri, entry.handler, entry.options);
      }),
    );
  }

  /** Connects, and applies the template. */
  async createClient<Api extends ApiType = AnyApi>(
    url: string | URL,
    options: ConnectOptions,
  ): Promise<Client<Api>> {
    const client = await connect<Api>(url, options);
    try {
      await this.apply(client);
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }
}

/** Templates of decorated methods, by the method. */
const decorated = new WeakMap<BoundFunction, (template: Template, bound: BoundFunction) => void>();

/** Decorates a method that serves a procedure; without a URI, its name in lower case is one. */
export function procedure(uri?: string, options: ProcedureTemplateOptions = {}) {
  return <Method extends BoundFunction>(
    method: Method,
    context: { readonly name: string | symbol },
  ): Method => {
    const name = uri ?? String(context.name).toLowerCase();
    decorated.set(method, (template, bound) => void template.procedure(name, bound, options));
    return method;
  };
}

/** Decorates a method that handles events. */
export function event(uri: string, options: EventTemplateOptions = {}) {
  return <Method extends BoundFunction>(
    method: Method,
    _context: { readonly name: string | symbol },
  ): Method => {
    decorated.set(method, (template, bound) => void template.event(uri, bound, options));
    return method;
  };
}

/** Registers and subscribes the decorated methods of an object. */
export async function applyTemplate(
  object: object,
  client: AnyClient,
  options: { readonly uriPrefix?: string } = {},
): Promise<void> {
  const template = new Template(options);
  for (const method of methodsOf(object)) {
    decorated.get(method)?.(template, (...parameters: unknown[]) => method.apply(object, parameters));
  }
  await template.apply(client);
}

/** A class's methods and those of what it extends; what is overridden, once. */
function methodsOf(object: object): Iterable<BoundFunction> {
  const methods = new Map<string, BoundFunction>();
  for (
    let level: object | null = object;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && !methods.has(name)) methods.set(name, value as BoundFunction);
    }
  }
  return methods.values();
}

function bind(
  handler: BoundFunction,
  parameters: readonly Parameter[] | undefined,
): (context: WampArguments) => unknown {
  if (parameters === undefined) return handler;
  return (context) => handler(...bindArguments(parameters, context), context);
}

/** @throws InvalidArgument for what is missing, given twice, or too much. */
export function bindArguments(
  parameters: readonly Parameter[],
  { args, kwargs }: Pick<WampArguments, 'args' | 'kwargs'>,
): unknown[] {
  const named = new Map(Object.entries(kwargs));
  let position = 0;
  const bound = parameters.map((parameter) => {
    if (typeof parameter === 'object' && 'rest' in parameter) {
      return parameter.rest === 'positional' ? args.slice(position, (position = args.length)) : named;
    }
    const name = typeof parameter === 'string' ? parameter : parameter.name;
    if (position < args.length) {
      if (named.has(name)) throw invalid(`the argument "${name}" is given twice`, name);
      return args[position++];
    }
    if (named.has(name)) return take(named, name);
    if (typeof parameter === 'string') throw invalid(`the argument "${name}" is missing`, name);
    return parameter.default;
  });
  if (position < args.length) throw invalid(`there are ${args.length} arguments, not ${position}`, position);
  const takesNamed = bound.includes(named);
  const [unknownName] = named.keys();
  if (!takesNamed && unknownName !== undefined)
    throw invalid(`there is no argument "${unknownName}"`, unknownName);
  return bound.map((value) => (value === named ? Object.fromEntries(named) : value));
}

function take(named: Map<string, unknown>, name: string): unknown {
  const value = named.get(name);
  named.delete(name);
  return value;
}

function invalid(message: string, key: string | number): InvalidArgument {
  return new InvalidArgument([message], { key } satisfies Kwargs);
}
