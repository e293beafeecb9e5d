import { createHash, generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { User } from './rbac.ts';

/** A private key and its certificate, both PEM. */
interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

/** The certificate authority of one API server. */
export interface Authority {
  /** PEM: what clients trust. */
  readonly certificate: string;
  /** Issues a certificate for a server with these DNS names and IP addresses. */
  issueServer(names: readonly string[]): Promise<KeyPair>;
  /** Issues a certificate for a client: its name is the common name, its groups are organizations (Kubernetes, X509 client certificates). */
  issueClient(user: User): Promise<KeyPair>;
}

/** The user that a verified client certificate (DER) names. */
export function certifiedUser(certificate: Buffer): User {
  const attributes = new X509Certificate(certificate).toLegacyObject().subject as unknown as Record<string, unknown>;
  const { CN: name, O: groups } = attributes;
  return { name: String(name), groups: [groups ?? []].flat().map(String) };
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 3_600_000;
const lifetime = 365 * 24 * hour;

function createKeys() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    pair: {
      privateKey: privateKey.toCryptoKey(algorithm, true, ['sign']),
      publicKey: publicKey.toCryptoKey(algorithm, true, ['verify']),
    },
  };
}

/** Creates an authority whose key lives as long as this process. */
export async function createAuthority(now: Date): Promise<Authority> {
  const common = () => ({
    serialNumber: `01${randomBytes(8).toString('hex')}`,
    notBefore: new Date(now.getTime() - hour),
    notAfter: new Date(now.getTime() + lifetime),
    signingAlgorithm: algorithm,
  });
  const { pair } = createKeys();
  const id = createHash('sha256').update(randomBytes(8)).digest('hex').slice(0, 8);
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...common(),
      name: [{ CN: [`kubernetes-${id}`] }],
      keys: pair,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  const issue = async (
    subject: x509.JsonName,
    usage: x509.ExtendedKeyUsage,
    extensions: readonly x509.Extension[] = [],
  ): Promise<KeyPair> => {
    const keys = createKeys();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        ...common(),
        subject,
        issuer: root.subject,
        publicKey: keys.pair.publicKey,
        signingKey: pair.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([usage]),
          ...extensions,
        ],
      },
      webcrypto,
    );
    return { key: keys.pem, certificate: `${certificate.toString('pem')}\n` };
  };
  return {
    certificate: `${root.toString('pem')}\n`,
    issueServer: (names) =>
      issue([{ CN: ['kube-apiserver'] }], x509.ExtendedKeyUsage.serverAuth, [
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
        ),
      ]),
    issueClient: ({ name, groups }) =>
      issue([{ CN: [name] }, ...groups.map((group) => ({ O: [group] }))], x509.ExtendedKeyUsage.clientAuth),
  };
}
