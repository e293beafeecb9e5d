import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { type RegistrationStatus, registrationService, serveRegistration } from './registration.ts';

it('reports driver and socket to the kubelet, and passes on its response', async () => {
  await using parts = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'rekindle-registration-'));
  parts.defer(() => rmSync(directory, { recursive: true }));
  const statuses: RegistrationStatus[] = [];
  const endpoint = '/var/lib/kubelet/csi-plugins/fuse.csi.fluid.io/csi.sock';
  const server = await serveRegistration({ directory, endpoint, onStatus: (status) => statuses.push(status) });
  expect(server.path).toBe(join(directory, 'fuse.csi.fluid.io-reg.sock'));

  const Kubelet = makeClientConstructor(registrationService(), 'Registration');
  const kubelet = new Kubelet(`unix://${server.path}`, credentials.createInsecure());
  const call = (name: string, request: object) => promisify(kubelet[name]?.bind(kubelet) as never)(request as never);
  expect(await call('GetInfo', {})).toEqual({
    type: 'CSIPlugin',
    name: 'fuse.csi.fluid.io',
    endpoint,
    supportedVersions: ['1.0.0'],
  });
  await call('NotifyRegistrationStatus', { pluginRegistered: false, error: 'no node id' });
  await call('NotifyRegistrationStatus', { pluginRegistered: true });
  expect(statuses).toEqual([{ registered: false, error: 'no node id' }, { registered: true }]);
  kubelet.close();

  await server[Symbol.asyncDispose]();
  expect(existsSync(server.path)).toBe(false);
});
