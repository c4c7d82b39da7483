// The TLS of a listener, by its configuration.

import { isTls, listenerConfig, listenerProtocol, type BrokerConfig } from '@tidemark/core';
import { TlsMaterialError, type TlsFiles } from '@tidemark/rpc';
import { StartupError } from '../startup-error.ts';
import { ReloadingTls, type ReloadingTlsOptions } from './reloading-tls.ts';

function filesOf(config: BrokerConfig, listener: string): TlsFiles {
  return {
    keystore: listenerConfig(config, listener, 'ssl.keystore.location'),
    key: listenerConfig(config, listener, 'ssl.keystore.key.location'),
    keyPassword: listenerConfig(config, listener, 'ssl.key.password'),
    truststore: listenerConfig(config, listener, 'ssl.truststore.location'),
    versions: listenerConfig(config, listener, 'ssl.enabled.protocols'),
  };
}

/** Undefined for a listener that speaks no TLS. Throws `StartupError` for files that cannot be used. */
export function openListenerTls(
  config: BrokerConfig,
  rest: Omit<ReloadingTlsOptions, 'files' | 'intervalMs'>,
): ReloadingTls | undefined {
  if (!isTls(listenerProtocol(config, rest.listener))) return undefined;
  try {
    return new ReloadingTls({
      ...rest,
      files: filesOf(config, rest.listener),
      intervalMs: config.get('ssl.reload.interval.ms'),
    });
  } catch (thrown) {
    if (!(thrown instanceof TlsMaterialError)) throw thrown;
    throw new StartupError(
      `${rest.listener} has no certificates to speak TLS with: ${thrown.message}`,
      'name PEM files this user may read in ssl.keystore.location, ssl.keystore.key.location and ssl.truststore.location',
      { cause: thrown },
    );
  }
}
