import { BLOCK_BYTES, type Disk, type DiskFile } from './disk.js';

// What disks write in one piece.
const SECTOR_BYTES = 512;

/** What may go wrong, decided anew for each operation. All are off unless set. */
export interface DiskFaults {
  /** Called before each operation; throwing makes it fail with that error. */
  beforeOperation?: (operation: DiskOperation, name: string) => void;
  /** The most bytes that one `write` takes. */
  writeBytesMax?: number;
  /** Waits before a write or sync takes effect; a test holds it to keep a flush in flight. */
  delay?: (operation: DiskOperation) => Promise<void>;
}

export type DiskOperation =
  | 'list'
  | 'create'
  | 'open'
  | 'rename'
  | 'remove'
  | 'syncFolder'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'read';

interface Inode {
  /** What a reader sees. */
  content: Uint8Array;
  /** What survives a power cut for certain. */
  durable: Uint8Array;
}

/**
 * A folder in memory, seen by one process after another through `mount`, that forgets like a disk: what was written and not synced may be lost, in whole or by sectors, when the power is
 * cut, and so may names that were made, changed or removed since the folder was synced.
 */
export class SimulatedDisk {
  faults: DiskFaults = {};
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #generation = 0;

  /** The disk as a process sees it that starts now. After `cutPower` or `kill` it can do nothing any more. */
  mount(): Disk {
    const generation = this.#generation;
    const check = (operation: DiskOperation, name: string): void => {
      if (generation !== this.#generation) throw new Error('the process that had this disk is gone');
      this.faults.beforeOperation?.(operation, name);
    };
    return {
      list: async () => {
        check('list', '');
        return this.list();
      },
      create: async (name, options) => {
        check('create', name);
        if (this.#names.has(name)) throw new Error(`EEXIST: file already exists, open '${name}'`);
        const inode: Inode = { content: new Uint8Array(), durable: new Uint8Array() };
        this.#names.set(name, inode);
        return this.#handle(name, inode, options.writeThrough, check);
      },
      open: async (name, options) => {
        check('open', name);
        return this.#handle(name, this.#inode(name), options.writeThrough, check);
      },
      rename: async (from, to) => {
        check('rename', from);
        const inode = this.#inode(from);
        this.#names.delete(from);
        this.#names.set(to, inode);
      },
      remove: async (name) => {
        check('remove', name);
        this.#names.delete(name);
      },
      syncFolder: async () => {
        check('syncFolder', '');
        this.#durableNames = new Map(this.#names);
      },
    };
  }

  /** The names there are. */
  list(): string[] {
    return [...this.#names.keys()];
  }

  /** Loses a file, as an administrator would. */
  remove(name: string): void {
    this.#names.delete(name);
    this.#durableNames.delete(name);
  }

  /**
   * The power is cut and comes back. Of what was not synced each sector, each length and each name survives or not, as `random`
   * (a float below 1) decides. Handles from before are dead.
   */
  cutPower(random: () => number): void {
    this.#generation += 1;
    const names = new Map(this.#durableNames);
    for (const name of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      if (this.#names.get(name) === this.#durableNames.get(name) || random() < 0.5) continue;
      const inode = this.#names.get(name);
      if (inode === undefined) names.delete(name);
      else names.set(name, inode);
    }
    for (const inode of new Set(names.values())) {
      inode.content = survive(inode, random);
      inode.durable = inode.content.slice();
    }
    this.#names = names;
    this.#durableNames = new Map(names);
  }

  /** The process is killed: what was written stays, handles are dead, operations under way do not take effect. */
  kill(): void {
    this.#generation += 1;
  }

  /** The content of a file, to look at or to damage. */
  contentOf(name: string): Uint8Array {
    return this.#inode(name).content;
  }

  setContent(name: string, content: Uint8Array): void {
    this.#names.set(name, { content: content.slice(), durable: content.slice() });
    this.#durableNames.set(name, this.#names.get(name)!);
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw new Error(`ENOENT: no such file or directory, open '${name}'`);
    return inode;
  }

  #handle(
    name: string,
    inode: Inode,
    isWriteThrough: boolean,
    check: (operation: DiskOperation, name: string) => void,
  ): DiskFile {
    const act = async (operation: DiskOperation, effect: () => void): Promise<void> => {
      await this.faults.delay?.(operation);
      check(operation, name);
      effect();
    };
    const keep = (): void => void (inode.durable = inode.content.slice());
    const write = async (bytes: Uint8Array, position: number, blockBytes: number): Promise<number> => {
      const part = bytes.slice(0, this.faults.writeBytesMax ?? bytes.length);
      const padded = new Uint8Array(Math.ceil(part.length / blockBytes) * blockBytes);
      padded.set(part);
      await act('write', () => {
        inode.content = overwrite(inode.content, padded, position);
        if (isWriteThrough) keep();
      });
      return part.length;
    };
    return {
      isWriteThrough,
      size: async () => inode.content.length,
      write: (bytes, position) => write(bytes, position, 1),
      writeBlocks: (bytes, position) =>
        write(bytes, position, position % BLOCK_BYTES === 0 ? BLOCK_BYTES : 1),
      read: async (target, position) => {
        check('read', name);
        const part = inode.content.subarray(position, position + target.length);
        target.set(part);
        return part.length;
      },
      sync: () => act('sync', keep),
      truncate: (size) => act('truncate', () => void (inode.content = inode.content.slice(0, size))),
      close: async () => {},
    };
  }
}

function overwrite(content: Uint8Array, part: Uint8Array, position: number): Uint8Array {
  const grown = new Uint8Array(Math.max(content.length, position + part.length));
  grown.set(content);
  grown.set(part, position);
  return grown;
}

function survive(inode: Inode, random: () => number): Uint8Array {
  const { content, durable } = inode;
  const shorter = Math.min(content.length, durable.length);
  const longer = Math.max(content.length, durable.length);
  const size =
    content.length === durable.length ? shorter : shorter + Math.floor(random() * (longer - shorter + 1));
  const kept = new Uint8Array(size);
  for (let at = 0; at < size; at += SECTOR_BYTES) {
    const source = random() < 0.5 ? content : durable;
    kept.set(source.subarray(at, Math.min(at + SECTOR_BYTES, size)), at);
  }
  return kept;
}
