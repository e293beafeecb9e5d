import { expect, it } from 'vitest';
import { parseWebhookFlags } from './flags.ts';

const parse = (...argv: readonly string[]) => parseWebhookFlags({ argv, env: {} });

it('listens on all addresses at port 9443 and does not register by default', () => {
  expect(parse()).toEqual({
    kind: 'run',
    options: {
      host: undefined,
      port: 9443,
      kubeconfig: undefined,
      mountRoot: '/runtime-mnt',
      register: undefined,
      recoversSubPath: false,
    },
  });
});

it.each<[string, object]>([
  ['--listen=127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ['--listen=[::1]:443', { host: '::1', port: 443 }],
  ['--listen=0.0.0.0:443', { host: '0.0.0.0', port: 443 }],
  ['--listen=:443', { host: undefined, port: 443 }],
  [
    '--register=fluid-system/fluid-webhook',
    { register: { service: { namespace: 'fluid-system', name: 'fluid-webhook', port: 443 } } },
  ],
  ['--register=self', { register: { url: 'https://localhost' } }],
  ['--certificate-secret=fluid-system/certs', { certificateSecret: { namespace: 'fluid-system', name: 'certs' } }],
  ['--mount-root=/mnt/fluid', { mountRoot: '/mnt/fluid' }],
  ['--sub-path=recover', { recoversSubPath: true }],
  ['--sub-path=refuse', { recoversSubPath: false }],
])('accepts %s', (flag, options) => {
  expect(parse(flag)).toMatchObject({ kind: 'run', options });
});

it('takes MOUNT_ROOT from the environment if the flag is missing', () => {
  const env = { MOUNT_ROOT: '/other' };
  expect(parseWebhookFlags({ argv: [], env })).toMatchObject({ options: { mountRoot: '/other' } });
  expect(parseWebhookFlags({ argv: ['--mount-root=/mine'], env })).toMatchObject({ options: { mountRoot: '/mine' } });
});

it.each([
  ['--listen=nowhere', '--listen=nowhere is not HOST:PORT'],
  ['--listen=h:70000', 'is not HOST:PORT'],
  ['--register=a/b/c', 'neither self nor NAMESPACE/SERVICE'],
  ['--certificate-secret=certs', '--certificate-secret=certs is not NAMESPACE/NAME'],
  ['--mount-root=relative', '--mount-root=relative is not an absolute path'],
  ['--sub-path=maybe', '--sub-path=maybe is neither refuse nor recover'],
  ['--unknown=1', '--unknown=1 is not a known flag; the flags are --listen='],
  ['listen', 'listen is not a known flag'],
])('rejects %s with one sentence', (flag, message) => {
  expect(parse(flag)).toEqual({ kind: 'error', message: expect.stringContaining(message) });
});

it('prints help', () => {
  expect(parse('--help')).toMatchObject({ kind: 'help', text: expect.stringContaining('--register=') });
});
