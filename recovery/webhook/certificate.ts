import { generateKeyPairSync, sign } from 'node:crypto';
import { isIP } from 'node:net';
import * as der from './der.ts';

export interface CertificateOptions {
  /** DNS names and IP addresses that it is for; the first is its subject, too. */
  readonly names: readonly [string, ...string[]];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly serial: bigint;
}

/** PEM, both. The certificate is its own authority: it is what a client is given as `caBundle`. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

const ecdsaWithSha256 = der.sequence(der.identifier('1.2.840.10045.4.3.2'));
const commonName = '2.5.4.3';
const basicConstraints = '2.5.29.19';
const keyUsage = '2.5.29.15';
const extendedKeyUsage = '2.5.29.37';
const serverAuthentication = '1.3.6.1.5.5.7.3.1';
const subjectAlternativeName = '2.5.29.17';
/** digitalSignature and keyCertSign: bits 0 and 5. */
const signing = der.bits(Buffer.from([0b1000_0100]), 2);
/** Longest common name (RFC 5280, ub-common-name). */
const longestName = 64;

/** Makes a key (P-256) and a self-signed certificate for it (RFC 5280): Node has no call that creates one. */
export function selfSigned({ names, notBefore, notAfter, serial }: CertificateOptions): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = der.sequence(
    der.set(der.sequence(der.identifier(commonName), der.utf8(names[0].slice(0, longestName)))),
  );
  const body = der.sequence(
    der.tagged(0, der.integer(2n)),
    der.integer(serial),
    ecdsaWithSha256,
    name,
    der.sequence(der.time(notBefore), der.time(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(
      3,
      der.sequence(
        extension(basicConstraints, { critical: true, value: der.sequence(der.boolean(true)) }),
        extension(keyUsage, { critical: true, value: signing }),
        extension(extendedKeyUsage, { critical: false, value: der.sequence(der.identifier(serverAuthentication)) }),
        extension(subjectAlternativeName, { critical: false, value: der.sequence(...names.map(generalName)) }),
      ),
    ),
  );
  const whole = der.sequence(body, ecdsaWithSha256, der.bits(sign('sha256', body, privateKey)));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: pem('CERTIFICATE', whole),
  };
}

function extension(id: string, { critical, value }: { readonly critical: boolean; readonly value: Buffer }): Buffer {
  return der.sequence(der.identifier(id), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}

/** dNSName is [2], iPAddress [7]. */
function generalName(name: string): Buffer {
  const version = isIP(name);
  return version === 0 ? der.implicit(2, Buffer.from(name)) : der.implicit(7, addressBytes(name, version));
}

function addressBytes(address: string, version: number): Buffer {
  if (version === 4) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes an address out in one way; what `::` stands for is filled in.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = groups(tail ?? '');
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
