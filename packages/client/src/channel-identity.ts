// Who a client is and whom it trusts, by its configuration. The files are read when the client is made, so that one that is missing is
// said at once, and again at each connection, so that a certificate that was replaced on disk counts from then on.
import { TidemarkError, isSasl, isTls, saslLogin } from '@tidemark/core';
import type { ClientConfig } from '@tidemark/core';
import { TlsMaterialError, readTlsMaterial, tlsCredentials } from '@tidemark/rpc';
import type { ChannelOptions, TlsFiles, TlsMaterial } from '@tidemark/rpc';

/** What the client tells brokers of itself, and how. */
export function channelIdentity(
  config: ClientConfig,
): Pick<ChannelOptions, 'clientId' | 'login' | 'credentials'> {
  const clientId = config.get('client.id');
  return {
    ...channelCredentials(config),
    ...(clientId === '' ? {} : { clientId }),
    ...(isSasl(config.get('security.protocol'))
      ? { login: { mechanism: config.get('sasl.mechanism'), ...saslLogin(config as never) } }
      : {}),
  };
}

function channelCredentials(config: ClientConfig): Pick<ChannelOptions, 'credentials'> {
  if (!isTls(config.get('security.protocol'))) return {};
  const files: TlsFiles = {
    keystore: config.get('ssl.keystore.location'),
    key: config.get('ssl.keystore.key.location'),
    keyPassword: config.get('ssl.key.password'),
    truststore: config.get('ssl.truststore.location'),
    versions: config.get('ssl.enabled.protocols'),
  };
  let known = readOrRefuse(files);
  const material = (): TlsMaterial => {
    try {
      known = readTlsMaterial(files);
    } catch (error) {
      // In the middle of being replaced, perhaps: what was read before may still do, and if not, the broker says so.
      if (!(error instanceof TlsMaterialError)) throw error;
    }
    return known;
  };
  const verifyHostname = config.get('ssl.endpoint.identification.algorithm') !== '';
  return { credentials: tlsCredentials({ material, verifyHostname }) };
}

function readOrRefuse(files: TlsFiles): TlsMaterial {
  try {
    return readTlsMaterial(files);
  } catch (error) {
    if (!(error instanceof TlsMaterialError)) throw error;
    throw new TidemarkError('INVALID_CONFIG', error.message, { cause: error });
  }
}
