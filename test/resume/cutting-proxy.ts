import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A TCP proxy before a server that breaks connections, wherever in a frame the bytes run out. */
export class CuttingProxy {
  cuts = 0;
  /** How many bytes a new connection carries before it breaks. */
  readonly #lifetimeBytes: () => number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where connections go to. */
  targetPort: number;

  private constructor(server: Server, targetPort: number, lifetimeBytes: () => number) {
    this.#server = server;
    this.targetPort = targetPort;
    this.#lifetimeBytes = lifetimeBytes;
    server.on('connection', (socket) => this.#relay(socket));
  }

  static async listen(targetPort: number, lifetimeBytes: () => number): Promise<CuttingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new CuttingProxy(server, targetPort, lifetimeBytes);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(client: Socket): void {
    const server = connect(this.targetPort, '127.0.0.1');
    let left = this.#lifetimeBytes();
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    const pass = (from: Socket, to: Socket): void => {
      this.#sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        if (chunk.length >= left) {
          if (left > 0) this.cuts++;
          to.write(chunk.subarray(0, left), end);
          left = 0;
          return;
        }
        left -= chunk.length;
        to.write(chunk);
      });
      from.on('error', end);
      from.on('close', () => {
        this.#sockets.delete(from);
        end();
      });
    };
    pass(client, server);
    pass(server, client);
  }
}
