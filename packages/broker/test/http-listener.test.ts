import { once } from 'node:events';
import { connect, Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { HealthRegistry } from '@tidemark/rpc';
import { HttpListener } from '../src/http-listener.ts';
import { Readiness } from '../src/readiness.ts';

describe('the HTTP listener', () => {
  it('goes on after a connection that it could not accept, and says why', async () => {
    const notAccepted: Error[] = [];
    const http = new HttpListener({
      readiness: new Readiness(new HealthRegistry()),
      metrics: () => Promise.reject(new Error('nobody asks')),
      onError: (cause) => {
        throw cause;
      },
      onNotAccepted: (cause) => notAccepted.push(cause),
    });
    const prototype = Server.prototype as { listen: unknown };
    const { listen } = prototype;
    const servers: Server[] = [];
    prototype.listen = function (this: Server, ...options: unknown[]) {
      servers.push(this);
      return Reflect.apply(listen as () => Server, this, options) as Server;
    };
    try {
      const port = await http.listen('127.0.0.1', 0);
      // What Node does when the process is out of descriptors, or the kernel out of memory.
      const cause = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
      servers[0]!.emit('error', cause);
      expect(notAccepted).to.deep.equal([cause]);
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).to.equal(200);
    } finally {
      prototype.listen = listen;
      await http.close();
    }
  });

  describe('whose metrics are many megabytes', () => {
    const text = '# a line of metrics\n'.repeat(200_000);
    let rendered = 0;
    let http: HttpListener;
    let port: number;
    beforeEach(async () => {
      rendered = 0;
      http = new HttpListener({
        readiness: new Readiness(new HealthRegistry()),
        metrics: async () => {
          rendered += 1;
          await pause(10);
          return { contentType: 'text/plain', text };
        },
        onError: (cause) => {
          throw cause;
        },
        onNotAccepted: () => undefined,
        readTimeoutMs: 500,
      });
      port = await http.listen('127.0.0.1', 0);
    });
    afterEach(() => http.close());
    const page = (): Promise<Response> => fetch(`http://127.0.0.1:${port}/metrics`);

    it('renders one page for all who ask meanwhile', async () => {
      const pages = await Promise.all([page(), page(), page()]);
      for (const each of pages) expect((await each.text()).length).to.equal(text.length);
      expect(rendered).to.equal(1);
    });

    it('holds no more pages than fit for one who asks and does not read, and drops him', async () => {
      const before = process.memoryUsage().rss;
      const socket = connect(port, '127.0.0.1');
      const dropped = once(socket, 'close');
      socket.on('error', () => undefined);
      socket.pause();
      socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000));
      await pause(200);
      expect(rendered).to.be.below(5);
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).to.equal(200);
      expect(process.memoryUsage().rss - before).to.be.below(300 * 1024 * 1024);
      socket.resume();
      await pause(600);
      socket.destroy();
      await dropped;
      // His places are free again.
      const pages = await Promise.all([page(), page()]);
      for (const each of pages)
        expect([each.status, (await each.text()).length]).to.deep.equal([200, text.length]);
    });
  });
});
