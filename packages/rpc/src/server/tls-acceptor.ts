// TLS in front of a gRPC listener: takes accepted TCP connections, hands on those whose handshake succeeded, with who the other side
// is. Certificates can be replaced; the next handshake has the new ones, and what is connected stays.
//
// Sessions are not resumed: each connection shows its certificate anew, to the authorities that are trusted by then.

import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from '../tls-material.ts';

export type ClientAuth = 'none' | 'requested' | 'required';

export interface TlsAcceptorOptions {
  readonly material: TlsMaterial;
  readonly clientAuth: ClientAuth;
  /** A peer that has not finished its handshake by then is sent away, in ms. */
  readonly handshakeTimeoutMs: number;
  /** `certificate`: the peer's, checked against the authorities; undefined when it showed none and need not. */
  readonly onSecure: (socket: TLSSocket, certificate: X509Certificate | undefined) => void;
  readonly onRefused: (remoteAddress: string, reason: string) => void;
}

export class TlsAcceptor {
  readonly #server: Server;
  readonly #options: TlsAcceptorOptions;

  constructor(options: TlsAcceptorOptions) {
    this.#options = options;
    this.#server = createServer({
      ...contextOf(options.material),
      ALPNProtocols: ['h2'],
      requestCert: options.clientAuth !== 'none',
      // With `requested` the handshake goes on without a certificate; a bad one is refused below.
      rejectUnauthorized: options.clientAuth === 'required',
      handshakeTimeout: options.handshakeTimeoutMs,
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // Whoever hangs up before he has said anything, as a probe does, was not refused.
      if (error.code !== 'ECONNRESET') options.onRefused(socket.remoteAddress ?? '', error.message);
      socket.destroy();
    });
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** For connections from now on. */
  replace(material: TlsMaterial): void {
    this.#server.setSecureContext(contextOf(material));
  }

  #secured(socket: TLSSocket): void {
    const { clientAuth, onSecure, onRefused } = this.#options;
    const certificate = clientAuth === 'none' ? undefined : socket.getPeerX509Certificate();
    // What OpenSSL decided is looked at once more: nothing here may rest on an option alone.
    const isRefused = certificate === undefined ? clientAuth === 'required' : !socket.authorized;
    if (isRefused) {
      const reason = certificate === undefined ? 'no certificate' : String(socket.authorizationError);
      onRefused(socket.remoteAddress ?? '', reason);
      socket.destroy();
      return;
    }
    onSecure(socket, certificate);
  }
}

function contextOf({ pem }: TlsMaterial) {
  const { cert, key, ca, passphrase, minVersion, maxVersion } = pem;
  return {
    minVersion,
    maxVersion,
    // No tickets, and there is no store for sessions either.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}
