import { generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { objectAt, textAt } from '../kubernetes/json.ts';
import { ApiError, type Transport } from '../kubernetes/transport.ts';

/** A private key and its certificate, both PEM. The certificate is its own authority, so clients can use it as `caBundle`. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

export interface CertificateOptions {
  /** DNS names and IP addresses that the certificate is valid for. The first is also its subject. */
  readonly names: readonly [string, ...string[]];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Longest common name (RFC 5280, ub-common-name). */
const maxCommonNameLength = 64;

/** Creates a P-256 key and a self-signed certificate for it. */
export async function createSelfSigned({ names, notBefore, notAfter }: CertificateOptions): Promise<Certificate> {
  // Loading the library takes a tenth of a second, and most starts find a valid certificate in the Secret.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [names[0].slice(0, maxCommonNameLength)] }],
      notBefore,
      notAfter,
      // Positive, with 64 bits of randomness (CA/Browser Forum, 7.1).
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      signingAlgorithm: algorithm,
      keys: {
        privateKey: privateKey.toCryptoKey(algorithm, true, ['sign']),
        publicKey: publicKey.toCryptoKey(algorithm, true, ['verify']),
      },
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
        ),
      ],
    },
    webcrypto,
  );
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `${certificate.toString('pem')}\n`,
  };
}

/** The certificate that the webhook serves, and the certificates that its clients must trust. */
export interface ServingCertificate extends Certificate {
  /** PEM: this certificate and its predecessor, so that a replica that still serves the predecessor stays trusted. */
  readonly authorities: string;
}

/** Storage for the certificate that all replicas share. */
export interface CertificateStore {
  /** The version must be passed to `write`. */
  read(): Promise<{ readonly stored: ServingCertificate | undefined; readonly version: string }>;
  /** Returns false if another replica has written since that version. */
  write(certificate: ServingCertificate, version: string): Promise<boolean>;
}

export interface CertificateManagerOptions {
  readonly names: readonly [string, ...string[]];
  /** If undefined, the certificate lives as long as the process and is not shared. */
  readonly store: CertificateStore | undefined;
  readonly now: () => Date;
}

export interface CertificateManager {
  /** Returns the stored certificate, or creates and stores a new one if there is none or it expires soon. */
  current(): Promise<ServingCertificate>;
}

const day = 24 * 3600 * 1000;
/** Certificates are valid from a day ago, because clocks differ. */
const backdate = day;
const lifetime = 90 * day;
/** A certificate is renewed once its remaining lifetime is no longer than this. */
const renewBefore = 30 * day;
/** More consecutive conflicts than any number of replicas can cause. */
const maxAttempts = 10;

export function createCertificateManager({ names, store, now }: CertificateManagerOptions): CertificateManager {
  let unshared: ServingCertificate | undefined;
  return {
    async current() {
      if (store === undefined) {
        unshared = isUsable(unshared, names, now()) ? unshared : await renew(unshared, names, now());
        return unshared;
      }
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const { stored, version } = await store.read();
        if (isUsable(stored, names, now())) return stored;
        const renewed = await renew(stored, names, now());
        if (await store.write(renewed, version)) return renewed;
      }
      throw new Error(`the certificate could not be stored: another writer changed it ${maxAttempts} times in a row`);
    },
  };
}

function isUsable(
  candidate: ServingCertificate | undefined,
  names: readonly string[],
  now: Date,
): candidate is ServingCertificate {
  const parsed = candidate && parseCertificate(candidate.certificate);
  if (parsed === undefined) return false;
  const coversNames = names.every(
    (name) => (isIP(name) === 0 ? parsed.checkHost(name) : parsed.checkIP(name)) !== undefined,
  );
  return coversNames && parsed.validFromDate <= now && parsed.validToDate.getTime() - now.getTime() > renewBefore;
}

async function renew(
  predecessor: ServingCertificate | undefined,
  names: readonly [string, ...string[]],
  now: Date,
): Promise<ServingCertificate> {
  const created = await createSelfSigned({
    names,
    notBefore: new Date(now.getTime() - backdate),
    notAfter: new Date(now.getTime() + lifetime),
  });
  const trusted = predecessor && parseCertificate(predecessor.certificate)?.ca ? predecessor.certificate : '';
  return { ...created, authorities: created.certificate + trusted };
}

/** Returns undefined if the text is not a certificate: anyone who may write the Secret may have put something else there. */
function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

const requestTimeoutMs = 10_000;
const secretKeys = { certificate: 'tls.crt', key: 'tls.key', authorities: 'ca.crt' } as const;

/**
 * Stores the certificate in a Secret. The deployment creates the Secret empty, so that the webhook needs permission to read
 * and update only this one.
 */
export function createSecretStore(
  transport: Transport,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): CertificateStore {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const signal = () => AbortSignal.timeout(requestTimeoutMs);
  return {
    async read() {
      const secret = await transport.json({ method: 'GET', path, signal: signal() });
      const data = objectAt(secret, 'data');
      const decode = (key: string) => Buffer.from(textAt(data, key) ?? '', 'base64').toString();
      const stored: ServingCertificate = {
        certificate: decode(secretKeys.certificate),
        key: decode(secretKeys.key),
        authorities: decode(secretKeys.authorities),
      };
      const isComplete = Object.values(stored).every((value) => value !== '');
      const version = textAt(objectAt(secret, 'metadata'), 'resourceVersion') ?? '';
      return { stored: isComplete ? stored : undefined, version };
    },
    async write(certificate, version) {
      const encode = (text: string) => Buffer.from(text).toString('base64');
      const data = {
        [secretKeys.certificate]: encode(certificate.certificate),
        [secretKeys.key]: encode(certificate.key),
        [secretKeys.authorities]: encode(certificate.authorities),
      };
      const body = {
        contentType: 'application/merge-patch+json',
        value: { metadata: { resourceVersion: version }, data },
      };
      try {
        await transport.json({ method: 'PATCH', path, body, signal: signal() });
        return true;
      } catch (error) {
        if (error instanceof ApiError && error.status === 409) return false;
        throw error;
      }
    },
  };
}
