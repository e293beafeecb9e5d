import { randomBytes, X509Certificate } from 'node:crypto';
import { type Certificate, selfSigned } from './certificate.ts';

/** A certificate, and what clients are to trust. */
export interface Kept extends Certificate {
  /** PEM: this certificate and the one before it, so that a replica that has not changed yet is trusted, too. */
  readonly authorities: string;
}

/** Where replicas keep the certificate that they share. */
export interface CertificateStore {
  /** The version is for `write`. */
  read(): Promise<{ readonly kept: Kept | undefined; readonly version: string }>;
  /** False where somebody else has written since. */
  write(kept: Kept, version: string): Promise<boolean>;
}

export interface KeeperOptions {
  readonly names: readonly [string, ...string[]];
  /** Undefined: the certificate lives as long as the process, and nobody else has it. */
  readonly store: CertificateStore | undefined;
  readonly now: () => Date;
}

/** Looks after the certificate. */
export interface CertificateKeeper {
  /** The certificate that is to be served now: the kept one, or a new one where there is none or it ends soon. */
  current(): Promise<Kept>;
}

const day = 24 * 3600 * 1000;
/** Valid from a day ago, because clocks differ. */
const lifetime = { before: day, after: 90 * day };
/** It is renewed when no more than this is left. */
const margin = 30 * day;
/** More conflicts in a row than any number of replicas can cause. */
const tries = 10;

export function createCertificateKeeper({ names, store, now }: KeeperOptions): CertificateKeeper {
  let own: Kept | undefined;
  return {
    async current() {
      if (store === undefined) {
        own = isGood(own, names, now()) ? own : renewed(own, names, now());
        return own;
      }
      for (let left = tries; left > 0; left--) {
        const { kept, version } = await store.read();
        if (isGood(kept, names, now())) return kept;
        const next = renewed(kept, names, now());
        if (await store.write(next, version)) return next;
      }
      throw new Error(`the certificate could not be kept: somebody else wrote it ${tries} times`);
    },
  };
}

function isGood(kept: Kept | undefined, names: readonly string[], now: Date): kept is Kept {
  if (kept === undefined) return false;
  try {
    const { validFromDate, validToDate, ...parsed } = readCertificate(kept.certificate);
    const isOurs = names.every((name) => parsed.checks(name));
    return isOurs && validFromDate <= now && validToDate.getTime() - now.getTime() > margin;
  } catch {
    // Somebody has put something else there.
    return false;
  }
}

function readCertificate(pem: string) {
  const parsed = new X509Certificate(pem);
  const checks = (name: string) => (parsed.checkHost(name) ?? parsed.checkIP(name)) !== undefined;
  return { validFromDate: parsed.validFromDate, validToDate: parsed.validToDate, checks };
}

function renewed(former: Kept | undefined, names: readonly [string, ...string[]], now: Date): Kept {
  const made = selfSigned({
    names,
    notBefore: new Date(now.getTime() - lifetime.before),
    notAfter: new Date(now.getTime() + lifetime.after),
    // Positive, and 64 bits from a good source (CA/Browser Forum, 7.1).
    serial: (1n << 64n) | randomBytes(8).readBigUInt64BE(),
  });
  const before = former !== undefined && isCertificate(former.certificate) ? former.certificate : '';
  return { ...made, authorities: made.certificate + before };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
