import type { RoomDefinition } from '../documents/room-definition.js';
import type { RoomHandlers } from './room.js';
import type { SchemaShape } from './db-view.js';
import { buildModule } from './definition/build-module.js';
import type { Module } from './definition/build-module.js';
import type { Lifecycle } from './module-def.js';
import type { ReducerCtx } from './reducer-ctx.js';
import { moduleExport } from './reducer-export.js';
import { isModuleUri, type RealmHandlers, type RpcHandler, type RpcOptions } from './rpc.js';
import { checkSocketPath, type SocketHandlers } from './socket.js';
import type { ModuleExport, ReducerBody, ReducerEntry, ReducerExport } from './reducer-export.js';
import { isColumn, TableHandle } from './table.js';
import type { InferRow, NoMeta, RowShape } from './types/builders.js';

/** How names that authors wrote become names on the wire. */
export const CaseConversionPolicy = {
  /** As they are written. */
  None: { tag: 'None' },
  /** `sendMessage` becomes `send_message`. */
  SnakeCase: { tag: 'SnakeCase' },
} as const;
export type CaseConversionPolicy = (typeof CaseConversionPolicy)[keyof typeof CaseConversionPolicy];

export interface ModuleSettings {
  /** SnakeCase unless said otherwise. */
  readonly CASE_CONVERSION_POLICY?: CaseConversionPolicy;
}

export interface ReducerOptions {
  /** The wire name, when it is not the converted export name. */
  readonly name?: string;
  /** Makes it the reducer of a scheduled table; it is private then. */
  readonly onSchedule?: TableHandle;
}

/** A reducer's body. It is synchronous; what it throws undoes everything it did. */
export type Reducer<S extends SchemaShape, P extends RowShape> = (
  ctx: ReducerCtx<S>,
  args: InferRow<P>,
) => void;

type Body<S extends SchemaShape> = Reducer<S, NoMeta>;

/** The tables of a module, and what makes its functions. The default export of a module's file. */
export class Schema<S extends SchemaShape> {
  readonly tables: S;
  readonly settings: ModuleSettings;

  constructor(tables: S, settings: ModuleSettings) {
    this.tables = tables;
    this.settings = settings;
  }

  /**
   * A function that clients call, run as one transaction.
   *
   * @example
   * export const setName = app.reducer({ name: t.string() }, (ctx, { name }) => {
   *   ctx.db.user.insert({ identity: ctx.sender, name });
   * });
   */
  reducer<P extends RowShape>(params: P, body: Reducer<S, P>): ReducerExport<S, P>;
  reducer(body: Body<S>): ReducerExport<S, NoMeta>;
  reducer<P extends RowShape>(options: ReducerOptions, params: P, body: Reducer<S, P>): ReducerExport<S, P>;
  reducer(options: ReducerOptions, body: Body<S>): ReducerExport<S, NoMeta>;
  reducer(...parts: readonly unknown[]): ReducerExport<S, NoMeta> {
    return this.#define(parts, undefined);
  }

  /** Runs once, when the database is created. */
  init(body: Body<S>): ReducerExport<S, NoMeta>;
  init(options: ReducerOptions, body: Body<S>): ReducerExport<S, NoMeta>;
  init(...parts: readonly unknown[]): ReducerExport<S, NoMeta> {
    return this.#define(parts, 'init');
  }

  /** Runs before a client is let in; what it throws keeps the client out. */
  clientConnected(body: Body<S>): ReducerExport<S, NoMeta>;
  clientConnected(options: ReducerOptions, body: Body<S>): ReducerExport<S, NoMeta>;
  clientConnected(...parts: readonly unknown[]): ReducerExport<S, NoMeta> {
    return this.#define(parts, 'clientConnected');
  }

  /** Runs after a client has left. */
  clientDisconnected(body: Body<S>): ReducerExport<S, NoMeta>;
  clientDisconnected(options: ReducerOptions, body: Body<S>): ReducerExport<S, NoMeta>;
  clientDisconnected(...parts: readonly unknown[]): ReducerExport<S, NoMeta> {
    return this.#define(parts, 'clientDisconnected');
  }

  /**
   * Engine.IO sockets at a path of the server. Handlers are not transactions; `ctx.withTx` runs one.
   *
   * @example
   * export const live = app.socket('/live', {
   *   connect: (ctx, socket) => socket.join('everybody'),
   *   message: (ctx, socket, data) => ctx.broadcast(data, { group: 'everybody', except: socket }),
   * });
   */
  socket(path: string, handlers: SocketHandlers<S>): ModuleExport {
    checkSocketPath(path);
    return {
      [moduleExport]: {
        kind: 'socket',
        schema: this,
        path,
        handlers,
      },
    };
  }

  /**
   * A WAMP procedure of the realm that is named as the database. It is no transaction; `ctx.withTx` runs one.
   *
   * @example
   * export const add2 = app.rpc('com.example.add2', (ctx, a: number, b: number) => a + b);
   * export const count = app.rpc('com.example.count', function* (ctx, to: number) {
   *   for (let n = 1; n < to && !ctx.signal.aborted; n++) yield n;
   *   return to;
   * }, { concurrency: 8 });
   */
  rpc<Args extends readonly unknown[]>(
    uri: string,
    handler: RpcHandler<S, Args>,
    options: RpcOptions = {},
  ): ModuleExport {
    if (!isModuleUri(uri, options.match)) {
      throw new TypeError(`rpc(${JSON.stringify(uri)}, …): that is no URI, or one of the router's`);
    }
    const { concurrency } = options;
    if (concurrency !== undefined && !(concurrency >= 1)) {
      throw new TypeError(`rpc(${JSON.stringify(uri)}, …): concurrency is 1 or more`);
    }
    // Callers are not typed: what the author says his arguments are is his to check.
    const procedure = { ...options, uri, handler: handler as unknown as RpcHandler<SchemaShape> };
    return { [moduleExport]: { kind: 'rpc', schema: this, procedure } };
  }

  /**
   * Who may do what in the WAMP realm that is named as the database.
   *
   * @example
   * export const realm = app.realm({
   *   authorize: (ctx, { action }) => action === 'subscribe' || ctx.db.member.id.find(ctx.sender) !== null,
   * });
   */
  realm(handlers: RealmHandlers<S>): ModuleExport {
    return {
      [moduleExport]: { kind: 'realm', schema: this, handlers: handlers as RealmHandlers<SchemaShape> },
    };
  }

  /**
   * Shared documents whose names fit the pattern, and who may read and write them.
   *
   * @example
   * export const notes = app.room('notes/:id', {
   *   authorize: (ctx, { id }) => (ctx.db.member.id.find(`${id}/${ctx.sender}`) === null ? 'deny' : 'write'),
   * });
   */
  room(pattern: string, handlers: RoomHandlers<S> = {}): ModuleExport {
    // The host gives `authorize` what the handlers want.
    const definition = handlers as RoomDefinition;
    return { [moduleExport]: { kind: 'room', schema: this, pattern, definition } };
  }

  /** Several functions as one export; their names are the keys. */
  exportGroup(members: Readonly<Record<string, ModuleExport>>): ModuleExport {
    return { [moduleExport]: { kind: 'group', members } };
  }

  /**
   * The module without a file of its own: for servers that are embedded, and for tests.
   *
   * @example
   * const host = new ModuleHost(database, app.module({ sendMessage, setName }), { log, clock });
   */
  module(members: Readonly<Record<string, ModuleExport>>): Module {
    return buildModule(this, members);
  }

  view(..._parts: readonly unknown[]): never {
    return notYet('views');
  }

  anonymousView(..._parts: readonly unknown[]): never {
    return notYet('views');
  }

  procedure(..._parts: readonly unknown[]): never {
    return notYet('procedures');
  }

  httpHandler(..._parts: readonly unknown[]): never {
    return notYet('HTTP handlers');
  }

  httpRouter(..._parts: readonly unknown[]): never {
    return notYet('HTTP handlers');
  }

  get clientVisibilityFilter(): { sql(filter: string): never } {
    return { sql: () => notYet('row-level security filters') };
  }

  #define(parts: readonly unknown[], lifecycle: Lifecycle | undefined): ReducerExport<S, NoMeta> {
    const body = parts.at(-1);
    const what = lifecycle ?? 'reducer';
    if (typeof body !== 'function')
      throw new TypeError(`${what}(…): the last argument is the function to run`);
    const { options, params } = splitArguments(parts.slice(0, -1), what);
    if (lifecycle !== undefined && Object.keys(params).length > 0) {
      throw new TypeError(`${what}(…) takes no parameters: nobody is there to give them`);
    }
    const entry: ReducerEntry = {
      kind: 'reducer',
      schema: this,
      params,
      body: body as ReducerBody,
      name: options.name,
      lifecycle,
      onSchedule: options.onSchedule,
    };
    const call = (ctx: ReducerCtx<S>, args: NoMeta): void => void entry.body(ctx, args);
    return Object.assign(call, { [moduleExport]: entry });
  }
}

/** `(params)`, `(options)`, `(options, params)` or nothing; an object whose values are types is the parameters. */
function splitArguments(
  parts: readonly unknown[],
  what: string,
): { readonly options: ReducerOptions; readonly params: RowShape } {
  const objects = parts.map((part) => {
    if (typeof part === 'object' && part !== null) return part;
    throw new TypeError(`${what}(…): expected an object of options or parameters before the function`);
  });
  const [first = {}, second] = objects;
  if (second !== undefined) return { options: first, params: checkParams(second, what) };
  if (isOptions(first)) return { options: first, params: {} };
  return { options: {}, params: checkParams(first, what) };
}

function isOptions(value: object): value is ReducerOptions {
  const onSchedule: unknown = 'onSchedule' in value ? value.onSchedule : undefined;
  const name: unknown = 'name' in value ? value.name : undefined;
  return typeof name === 'string' || onSchedule instanceof TableHandle;
}

function checkParams(value: object, what: string): RowShape {
  for (const [name, type] of Object.entries(value)) {
    if (isColumn(type)) continue;
    throw new TypeError(
      `${what}(…): parameter ${JSON.stringify(name)} is not a type; write \`${name}: t.string()\``,
    );
  }
  return value as RowShape;
}

/** Features whose absence must be noticed when the module is loaded, not when a client misses them. */
function notYet(feature: string): never {
  throw new TypeError(`${feature} are not supported yet: see the coverage table in the documentation`);
}

/** The tables of a schema, for `ReducerCtx<InferSchema<typeof app>>`. */
export type InferSchema<A> = A extends Schema<infer S> ? S : never;

/**
 * Names the tables of a module: the key is the name of the accessor, `ctx.db.<key>`.
 *
 * @example
 * const app = schema({ user, message });
 * export default app;
 */
export function schema<S extends SchemaShape>(tables: S, settings: ModuleSettings = {}): Schema<S> {
  for (const [accessor, handle] of Object.entries(tables)) {
    if (handle instanceof TableHandle) continue;
    const isModule = typeof handle === 'object' && handle !== null && 'default' in handle;
    if (isModule) return notYet('submodules');
    throw new TypeError(`schema({ ${accessor} }): not a table; make it with table(options, columns)`);
  }
  return new Schema(tables, settings);
}
