import { Server } from 'node:net';
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
});
