// Certificates for tests: an authority and what it signs, as PEM files in a folder. Keys are made by Node and the certificates by
// node-forge, so that no `openssl` is needed.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import forge from 'node-forge';

const DAY_MS = 86_400_000;

export interface CertificateSpec {
  readonly commonName: string;
  readonly organization?: string;
  /** Host names and addresses. */
  readonly names?: readonly string[];
  /** A key that no other certificate of the authority has; making one takes a while. */
  readonly ownKey?: boolean;
  /** Days from now; may be negative. */
  readonly validFromDays?: number;
  readonly validToDays?: number;
}

/** Paths of PEM files. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

interface KeyPair {
  readonly publicKey: forge.pki.PublicKey;
  readonly privateKey: forge.pki.rsa.PrivateKey;
  readonly pem: string;
}

function keyPair(): KeyPair {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
  return {
    publicKey: forge.pki.publicKeyFromPem(pair.publicKey.export({ type: 'spki', format: 'pem' }) as string),
    privateKey: forge.pki.privateKeyFromPem(pem),
    pem,
  };
}

let serial = 1;

function certificate(key: KeyPair, spec: CertificateSpec): forge.pki.Certificate {
  const made = forge.pki.createCertificate();
  made.publicKey = key.publicKey;
  made.serialNumber = (serial++).toString(16).padStart(4, '0');
  made.validity.notBefore = new Date(Date.now() + (spec.validFromDays ?? -1) * DAY_MS);
  made.validity.notAfter = new Date(Date.now() + (spec.validToDays ?? 30) * DAY_MS);
  made.setSubject([
    { shortName: 'O', value: spec.organization ?? 'Test' },
    { shortName: 'CN', value: spec.commonName },
  ]);
  return made;
}

export class Authority {
  readonly #folder: string;
  readonly #name: string;
  readonly #key = keyPair();
  #holdersKey: KeyPair | undefined;
  readonly #certificate: forge.pki.Certificate;
  /** Path of the PEM file. */
  readonly file: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.#certificate = certificate(this.#key, { commonName: name });
    this.#certificate.setIssuer(this.#certificate.subject.attributes);
    this.#certificate.setExtensions([
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ]);
    this.#certificate.sign(this.#key.privateKey, forge.md.sha256.create());
    this.file = join(folder, `${name}.pem`);
    writeFileSync(this.file, forge.pki.certificateToPem(this.#certificate));
  }

  /** `file`: what the files are called; the common name if absent. An existing identity of that name is replaced. */
  issue(spec: CertificateSpec, file = spec.commonName): Identity {
    const key = spec.ownKey === true ? keyPair() : (this.#holdersKey ??= keyPair());
    const made = certificate(key, spec);
    made.setIssuer(this.#certificate.subject.attributes);
    made.setExtensions([
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: (spec.names ?? []).map((name) =>
          /^[\d.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name },
        ),
      },
    ]);
    made.sign(this.#key.privateKey, forge.md.sha256.create());
    const identity = {
      certificate: join(this.#folder, `${this.#name}-${file}.crt`),
      key: join(this.#folder, `${this.#name}-${file}.key`),
    };
    writeFileSync(identity.certificate, forge.pki.certificateToPem(made));
    writeFileSync(identity.key, key.pem, { mode: 0o600 });
    return identity;
  }
}
