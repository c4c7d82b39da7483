// The calling half of TLS: what a channel is given so that it shows its certificate and checks the server's. Unlike grpc-js' own,
// these credentials take the certificates anew for each connection, so that replaced files count from the next one on, and they
// put no address where only a host name may stand (RFC 6066).

import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { CallCredentials, ChannelCredentials, experimental } from '@grpc/grpc-js';
import { subjectOf, type TlsMaterial } from '../tls-material.ts';

export interface TlsClientOptions {
  /** Asked at each connection. */
  readonly material: () => TlsMaterial;
  /** The certificate must name the host it was reached at. */
  readonly verifyHostname: boolean;
  /** Further asked of a server whose certificate holds: whether one of this subject is spoken to. */
  readonly isTrusted?: (subject: string) => boolean;
  /** A handshake failed: by either side's doing. */
  readonly onFailed?: (host: string, cause: Error) => void;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** grpc-js marks the methods of its credentials as internal, and does not export the types of what they take and give. */
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];

export function tlsCredentials(options: TlsClientOptions): ChannelCredentials {
  return new TlsCredentials(options);
}

class TlsCredentials extends ChannelCredentials {
  readonly #options: TlsClientOptions;

  constructor(options: TlsClientOptions) {
    super();
    this.#options = options;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(target: Target, _options: unknown, call?: CallCredentials): Connector {
    const host = experimental.splitHostPort(target.path)?.host ?? target.path;
    return {
      connect: async (socket: Socket) => ({ socket: await this.#secure(socket, host), secure: true }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => call ?? CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }

  #secure(socket: Socket, host: string): Promise<TLSSocket> {
    const { material, verifyHostname, isTrusted, onFailed } = this.#options;
    const options: ConnectionOptions = {
      socket,
      host,
      secureContext: material().context,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: true,
      checkServerIdentity: (hostname, certificate) => {
        const misnamed = verifyHostname ? checkServerIdentity(hostname, certificate) : undefined;
        if (misnamed !== undefined || isTrusted === undefined) return misnamed;
        const subject = subjectOf(new X509Certificate(certificate.raw));
        return isTrusted(subject) ? undefined : new Error(`${subject} is not among those who may serve here`);
      },
      ...(isIP(host) === 0 ? { servername: host } : {}),
    };
    return new Promise((resolve, reject) => {
      const secured: TLSSocket = connect(options);
      // Whoever takes the TCP connection and says nothing would keep a socket of ours for every attempt.
      const deadline = setTimeout(() => {
        secured.destroy(new Error(`no TLS handshake within ${HANDSHAKE_TIMEOUT_MS} ms`));
      }, HANDSHAKE_TIMEOUT_MS);
      deadline.unref();
      const failed = (cause: Error): void => {
        clearTimeout(deadline);
        onFailed?.(host, cause);
        reject(cause);
      };
      secured.once('error', failed);
      secured.once('close', () => clearTimeout(deadline));
      secured.once('secureConnect', () => {
        clearTimeout(deadline);
        // From here on errors are those of a connection, and HTTP/2's to tell; it listens a moment later.
        secured.removeListener('error', failed);
        secured.on('error', () => secured.destroy());
        resolve(secured);
      });
    });
  }
}
