import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, type ServiceDefinition, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadCsiServices } from '../../recovery/csi/definitions.ts';
import { registrationService } from '../../recovery/csi/registration.ts';
import { listenOn } from '../../recovery/csi/socket.ts';
import { watchPlugins } from './plugin-registry.ts';

const name = 'fuse.csi.fluid.io';
let stack: AsyncDisposableStack;
let directory: string;
let calls: string[];
beforeEach(() => {
  stack = new AsyncDisposableStack();
  directory = mkdtempSync(join(tmpdir(), 'rekindle-plugins-'));
  stack.defer(() => rmSync(directory, { recursive: true }));
  calls = [];
});
afterEach(() => stack.disposeAsync());

const registry = () => join(directory, 'registry');
const watchDirectory = () => stack.use(watchPlugins(registry()));

/** Serves methods on a socket; each call is noted with its request. */
function serve(path: string, service: ServiceDefinition, replies: Readonly<Record<string, object | 'fails'>>) {
  const server = new Server();
  const methods: UntypedServiceImplementation = {};
  for (const [method, reply] of Object.entries(replies))
    methods[method] = (call: { request: object }, done: (error: object | null, reply?: object) => void) => {
      calls.push(`${method} ${JSON.stringify(call.request)}`);
      if (reply === 'fails') done({ code: status.INTERNAL, details: 'not yet' });
      else done(null, reply);
    };
  server.addService(service, methods);
  return listenOn(server, path);
}

const csiSocket = () => join(directory, 'csi.sock');
const driver = (info: object | 'fails' = { nodeId: 'n' }) =>
  serve(csiSocket(), loadCsiServices().Node, { NodeGetInfo: info });
const registrar = (info: object = {}, path = join(registry(), 'x-reg.sock')) =>
  serve(path, registrationService(), {
    GetInfo: { type: 'CSIPlugin', name, endpoint: csiSocket(), supportedVersions: ['1.0.0'], ...info },
    NotifyRegistrationStatus: {},
  });
const never = new AbortController().signal;
const notified = (text: string) =>
  vi.waitFor(() => expect(calls.filter((call) => call.startsWith('Notify')).join()).toContain(text), 10_000);

it('registers a driver as a kubelet does, also one that started before it', async () => {
  stack.use(await driver());
  stack.use(await registrar());
  const plugins = watchDirectory();
  await plugins.registered(name, never);
  expect(calls).toEqual([
    'GetInfo {}',
    'NodeGetInfo {}',
    'NotifyRegistrationStatus {"pluginRegistered":true,"error":""}',
  ]);
  expect(await plugins.driver(name).nodeGetInfo({})).toMatchObject({ nodeId: 'n' });
});

it('knows no driver before it has registered, nor after its socket is gone', async () => {
  const plugins = watchDirectory();
  expect(() => plugins.driver(name)).toThrow(`driver name ${name} not found in the list of registered CSI drivers`);
  stack.use(await driver());
  const server = await registrar();
  await plugins.registered(name, never);
  await server[Symbol.asyncDispose]();
  await vi.waitFor(() => expect(() => plugins.driver(name)).toThrow('not found'), 10_000);
});

it('registers a driver again that has started again, and every driver after its own restart', async () => {
  stack.use(await driver());
  const first = await registrar();
  const plugins = watchDirectory();
  await plugins.registered(name, never);
  await first[Symbol.asyncDispose]();
  calls.length = 0;
  stack.use(await registrar());
  await notified('true');
  calls.length = 0;
  plugins.restart();
  await notified('true');
});

it('registers a driver again whose socket was replaced in one step', async () => {
  stack.use(await driver());
  stack.use(await registrar());
  const plugins = watchDirectory();
  await plugins.registered(name, never);
  calls.length = 0;
  stack.use(await registrar({}, join(directory, 'new.sock')));
  renameSync(join(directory, 'new.sock'), join(registry(), 'x-reg.sock'));
  await notified('true');
});

it.each([
  ['does not answer NodeGetInfo', 'fails' as const, {}, 'not yet'],
  ['is no CSI plugin', undefined, { type: 'DevicePlugin' }, 'no handler registered for plugin type: DevicePlugin'],
  ['has another major version', undefined, { supportedVersions: ['0.3.0'] }, 'none of the versions'],
])('refuses a driver that %s, with the reason', async (_, nodeInfo, info, reason) => {
  stack.use(await driver(nodeInfo));
  stack.use(await registrar(info));
  const plugins = watchDirectory();
  await notified(reason);
  expect(() => plugins.driver(name)).toThrow('not found');
});
