import type { Identity } from '../../../../values/identity.js';
import type { Catalog, PublishRequest, PublishResult, RenameResult } from '../catalog.js';
import type { DatabaseRuntime } from '../runtime.js';

interface Named extends DatabaseRuntime {
  names: readonly string[];
}

/** A catalog of databases that the test makes; publishing is recorded and answered with `result`. */
export class FakeCatalog implements Catalog {
  readonly databases: Named[] = [];
  readonly published: PublishRequest[] = [];
  creator: Identity | undefined;
  result: ((request: PublishRequest) => PublishResult) | undefined;

  findByName(name: string): Named | undefined {
    return this.databases.find((database) => database.names.includes(name));
  }

  findByIdentity(identity: Identity): Named | undefined {
    return this.databases.find((database) => database.identity.isEqual(identity));
  }

  mayCreate(identity: Identity): boolean {
    return this.creator?.isEqual(identity) ?? false;
  }

  async publish(request: PublishRequest): Promise<PublishResult> {
    this.published.push(request);
    return this.result?.(request) ?? { kind: 'failed', reason: 'the test says no' };
  }

  async delete(database: DatabaseRuntime): Promise<void> {
    this.databases.splice(this.databases.indexOf(database), 1);
  }

  async setNames(database: DatabaseRuntime, names: readonly string[]): Promise<RenameResult> {
    for (const name of names) {
      const holder = this.findByName(name);
      if (holder !== undefined && holder !== database) return { kind: 'taken', name };
    }
    (database as Named).names = names;
    return { kind: 'renamed' };
  }
}
