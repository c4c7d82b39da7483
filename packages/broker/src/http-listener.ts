// The HTTP listener for operators: `/healthz` (the process turns), `/readyz` (it is fit to serve; JSON with the reasons if not)
// and `/metrics` (Prometheus text). Nothing here changes anything.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readiness } from './readiness.ts';

/** Operators' tools and probes are few; more connections than this are somebody else. */
const MAX_CONNECTIONS = 256;
/** Pages of metrics, each up to some megabytes, that are asked for and not yet read: requests of one connection may come all at once. */
const MAX_PAGES = 32;
/** Who has not read an answer by then gets no more of it. */
const READ_TIMEOUT_MS = 10_000;

export interface HttpListenerOptions {
  readonly readiness: Readiness;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly onError: (cause: unknown) => void;
  /** Told of connections that the system could not give us, for want of descriptors or memory; later ones are taken. */
  readonly onNotAccepted: (cause: Error) => void;
  /** How long a page may take to be read, in ms; 10 s if absent. */
  readonly readTimeoutMs?: number;
}

interface Page {
  readonly contentType: string;
  readonly bytes: Buffer;
}

export class HttpListener {
  readonly #server: Server;
  readonly #options: HttpListenerOptions;
  /** Under way: whoever asks meanwhile gets the same. */
  #rendering: Promise<Page> | undefined;
  #pages = 0;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 15_000, maxHeaderSize: 16 * 1024 },
      (request, response) => {
        this.#answer(request, response).catch((cause: unknown) => {
          options.onError(cause);
          if (!response.headersSent) response.writeHead(500);
          response.end();
        });
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.removeListener('error', reject);
        this.#server.on('error', this.#options.onNotAccepted);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (request.url ?? '').split('?', 1);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      json(response, 405, { error: 'only GET is answered here' });
      return;
    }
    const { readiness } = this.#options;
    switch (path ?? '') {
      case '/healthz':
        json(response, 200, { status: 'ok' });
        return;
      case '/readyz':
        if (readiness.ready) json(response, 200, { status: 'ready' });
        else json(response, 503, { status: 'not ready', reasons: readiness.reasons });
        return;
      case '/metrics':
        await this.#answerPage(request, response);
        return;
      default:
        json(response, 404, { error: 'try /healthz, /readyz or /metrics' });
    }
  }

  async #answerPage({ socket }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#pages >= MAX_PAGES) {
      json(response, 503, { error: `${MAX_PAGES} pages are being read already` });
      return;
    }
    this.#pages += 1;
    let isRead = false;
    const read = (): void => {
      if (isRead) return;
      isRead = true;
      clearTimeout(deadline);
      this.#pages -= 1;
    };
    // Also for one that waits behind others of its connection: Node tells nothing of its end when the connection breaks.
    const deadline = setTimeout(() => {
      socket.destroy();
      read();
    }, this.#options.readTimeoutMs ?? READ_TIMEOUT_MS);
    deadline.unref();
    response.once('close', read);
    const { contentType, bytes } = await this.#page();
    response.writeHead(200, { 'content-type': contentType, 'content-length': bytes.length });
    response.end(bytes);
  }

  /** One for all who ask while it is rendered, in one piece of memory. */
  #page(): Promise<Page> {
    this.#rendering ??= this.#options
      .metrics()
      .then(({ contentType, text }) => ({ contentType, bytes: Buffer.from(text) }))
      .finally(() => {
        this.#rendering = undefined;
      });
    return this.#rendering;
  }
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
