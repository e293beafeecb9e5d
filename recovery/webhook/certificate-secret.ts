import { objectAt, textAt } from '../kubernetes/json.ts';
import { ApiError, type Transport } from '../kubernetes/transport.ts';
import type { CertificateStore, Kept } from './certificate-keeper.ts';

const timeoutMs = 10_000;
const keys = { certificate: 'tls.crt', key: 'tls.key', authorities: 'ca.crt' } as const;

/**
 * Keeps the certificate in a Secret. The Secret has to be there, empty at first: whoever deploys makes it, so that the
 * webhook needs the right to read and change this one and none other.
 */
export function createSecretStore(
  transport: Transport,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): CertificateStore {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const signal = () => AbortSignal.timeout(timeoutMs);
  return {
    async read() {
      const secret = await transport.json({ method: 'GET', path, signal: signal() });
      const data = objectAt(secret, 'data');
      const text = (key: string) => Buffer.from(textAt(data, key) ?? '', 'base64').toString();
      const kept = Object.fromEntries(
        Object.entries(keys).map(([field, key]) => [field, text(key)]),
      ) as unknown as Kept;
      const isWhole = Object.values(kept).every((value) => value !== '');
      const version = textAt(objectAt(secret, 'metadata'), 'resourceVersion') ?? '';
      return { kept: isWhole ? kept : undefined, version };
    },
    async write(kept, version) {
      const data = Object.fromEntries(
        Object.entries(keys).map(([field, key]) => [key, Buffer.from(kept[field as keyof Kept]).toString('base64')]),
      );
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
