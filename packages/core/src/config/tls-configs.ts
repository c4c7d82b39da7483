// The rows about TLS that a node and a client share, under Kafka's names. Key material is PEM and in files, so that it can be
// replaced while the process runs; a Java key store is not read.

import { list, oneOf, password, string, type ConfigSpec, type ConfigValue } from './descriptor.ts';

const identification = (value: ConfigValue) =>
  value === '' || value === 'https'
    ? undefined
    : { cause: 'is no way to check a name', remedy: 'Give https, or nothing to accept any name.' };

export function tlsSpecs(scope: 'broker' | 'client') {
  return {
    'ssl.keystore.type': oneOf(['PEM'], 'PEM', {
      scope,
      valuesNote:
        'Java key stores are not read: `keytool -exportcert` and `openssl pkcs12` make PEM of them.',
      doc: 'The format of the key store: PEM.',
    }),
    'ssl.keystore.location': string('', {
      scope,
      doc: 'A PEM file with the certificate this side shows, followed by the ones between it and the root, and, unless ssl.keystore.key.location names another file, its private key.',
    }),
    'ssl.keystore.key.location': string('', {
      scope,
      own: true,
      doc: 'A PEM file with the private key, where it is not in ssl.keystore.location.',
    }),
    'ssl.key.password': password('', {
      scope,
      doc: 'What the private key is encrypted with. Empty: it is not.',
    }),
    'ssl.truststore.type': oneOf(['PEM'], 'PEM', { scope, doc: 'The format of the trust store: PEM.' }),
    'ssl.truststore.location': string('', {
      scope,
      doc:
        scope === 'broker'
          ? 'A PEM file with the certificates of the authorities whose word is taken for who the other side is. Needed where certificates are asked for.'
          : 'A PEM file with the certificates of the authorities whose word is taken for who a broker is. Empty: those Node brings along.',
    }),
    'ssl.endpoint.identification.algorithm': string('https', {
      scope,
      check: identification,
      doc: '`https`: the certificate of a node must name the host it was reached at. Empty: any name will do, and whoever has a certificate of the authority may pose as a node.',
    }),
    'ssl.enabled.protocols': list<'TLSv1.2' | 'TLSv1.3'>(['TLSv1.2', 'TLSv1.3'], {
      scope,
      values: ['TLSv1.2', 'TLSv1.3'],
      doc: 'The versions of TLS that are spoken.',
    }),
  } satisfies Record<string, ConfigSpec>;
}

/** Where to look instead, for Kafka's other names. */
export const tlsElsewhere: Readonly<Record<string, string>> = {
  'ssl.keystore.certificate.chain': 'Put it into a file and name that in ssl.keystore.location.',
  'ssl.keystore.key': 'Put it into a file and name that in ssl.keystore.key.location.',
  'ssl.keystore.password': 'A PEM file has none; the key’s own is ssl.key.password.',
  'ssl.truststore.certificates': 'Put them into a file and name that in ssl.truststore.location.',
  'ssl.truststore.password': 'A PEM file has none; remove it.',
  'ssl.protocol': 'Give ssl.enabled.protocols.',
};
