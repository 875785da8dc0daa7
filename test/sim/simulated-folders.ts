import { SimulatedDisk } from '../../src/engine/log/simulated-disk.js';
import type { DatabaseFolders } from '../../src/server/database-store.js';

/** A data directory in memory whose disks tear, forget and fail as told. */
export class SimulatedFolders implements DatabaseFolders {
  readonly disks = new Map<string, SimulatedDisk>();

  async list(): Promise<readonly string[]> {
    return [...this.disks.keys()];
  }

  async open(name: string): ReturnType<DatabaseFolders['open']> {
    let disk = this.disks.get(name);
    if (disk === undefined) this.disks.set(name, (disk = new SimulatedDisk()));
    return disk.mount();
  }

  async remove(name: string): Promise<void> {
    this.disks.delete(name);
  }

  /** The disk of the only database. */
  get only(): SimulatedDisk {
    const [disk, ...more] = this.disks.values();
    if (disk === undefined || more.length > 0) throw new Error(`${this.disks.size} databases, not one`);
    return disk;
  }
}
