// The links between the nodes of a cluster, each direction a TCP proxy of ours: who calls whom can be held, delayed or reset without
// rights on the machine's network. A link from A to B carries the connections that A opened; both ways of those bytes go through it.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** `stalled`: bytes are held, as by a network that drops packets; `cut`: connections end and none is made. */
export type LinkState = 'open' | 'stalled' | 'cut';

const PORT_WAIT_MS = 5_000;

class PeerLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: LinkState = 'open';
  #ownPort = 0;
  #delayMs = 0;

  constructor(port: number) {
    this.#server = createServer((from) => {
      if (this.#state === 'cut') {
        from.on('error', () => from.destroy()).resetAndDestroy();
        return;
      }
      const to = connect(port, '127.0.0.1');
      this.#pipe(from, to);
      this.#pipe(to, from);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(this.#ownPort, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#ownPort = (this.#server.address() as AddressInfo).port;
    return this.#ownPort;
  }

  /** Nobody listens any more, as when the process behind died: who connects is refused. */
  async refuse(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    if (!this.#server.listening) return;
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** On the same port again, which somebody else may have had for a moment. */
  async accept(): Promise<void> {
    const deadline = performance.now() + PORT_WAIT_MS;
    while (!this.#server.listening) {
      try {
        await this.listen();
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await pause(100);
      }
    }
  }

  set(state: LinkState, delayMs = 0): void {
    this.#state = state;
    this.#delayMs = delayMs;
    for (const socket of this.#sockets) {
      if (state === 'cut') socket.resetAndDestroy();
      else if (state === 'stalled') socket.pause();
      else socket.resume();
    }
  }

  async close(): Promise<void> {
    this.set('cut');
    await this.refuse();
  }

  #pipe(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    // In order, whatever the delay was when each came: what overtakes within a connection would be no network's doing.
    const waiting: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const pump = (): void => {
      timer = undefined;
      while (waiting.length > 0 && !to.destroyed) {
        const { bytes, dueMs } = waiting[0]!;
        const leftMs = dueMs - performance.now();
        if (leftMs > 0) {
          timer = setTimeout(pump, leftMs);
          return;
        }
        waiting.shift();
        if (to.write(bytes)) continue;
        from.pause();
        to.once('drain', () => {
          if (this.#state !== 'stalled') from.resume();
        });
      }
    };
    from.on('data', (bytes) => {
      waiting.push({ bytes, dueMs: performance.now() + this.#delayMs });
      if (timer === undefined) pump();
    });
    if (this.#state === 'stalled') from.pause();
    const end = (): void => {
      this.#sockets.delete(from);
      from.destroy();
      to.destroy();
    };
    // Either side may reset at any time: that is what the link is for.
    from.on('error', end).on('close', end);
  }
}

export class PeerLinks {
  readonly #links = new Map<string, PeerLink>();

  /** What `controller.quorum.voters` of `id` is: itself as it is, the others by links. */
  async votersSeenBy(id: number, peerPorts: ReadonlyMap<number, number>): Promise<string> {
    const seen: string[] = [];
    for (const [other, port] of peerPorts) {
      if (other === id) {
        seen.push(`${other}@127.0.0.1:${port}`);
        continue;
      }
      const link = new PeerLink(port);
      const old = this.#links.get(`${id}>${other}`);
      await old?.close();
      this.#links.set(`${id}>${other}`, link);
      seen.push(`${other}@127.0.0.1:${await link.listen()}`);
    }
    return seen.join(',');
  }

  /** Of the connections that `from` opened, or of those to it, or both. */
  set(id: number, way: 'from' | 'to' | 'both', state: LinkState, delayMs = 0): void {
    for (const [name, link] of this.#links) {
      const [from, to] = name.split('>').map(Number);
      if ((way !== 'to' && from === id) || (way !== 'from' && to === id)) link.set(state, delayMs);
    }
  }

  /** Whoever connects to `id` is refused, as by a host whose process is gone. */
  async refuse(id: number): Promise<void> {
    await Promise.all(this.#to(id).map((link) => link.refuse()));
  }

  async accept(id: number): Promise<void> {
    await Promise.all(this.#to(id).map((link) => link.accept()));
  }

  heal(): void {
    for (const link of this.#links.values()) link.set('open');
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #to(id: number): readonly PeerLink[] {
    return [...this.#links].filter(([name]) => name.endsWith(`>${id}`)).map(([, link]) => link);
  }
}
