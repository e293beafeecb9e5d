/**
 * A CSI driver of somebody else, whose inline volumes are empty FUSE mounts. Arguments: its name, its socket, and the kubelet's
 * `plugins_registry`. Prints a line when it serves, and one for each volume that is published or unpublished.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { loadCsiServices } from '../../recovery/csi/definitions.ts';
import { registrationService } from '../../recovery/csi/registration.ts';
import { listenOn } from '../../recovery/csi/socket.ts';
import { loadSyscalls } from '../../recovery/linux/load-syscalls.ts';
import { MNT_DETACH } from '../../recovery/linux/syscalls.ts';
import { emptyTree } from '../fuse/tree.ts';
import { serveTree } from './serve-tree.ts';

const [name = '', endpoint = '', registry = ''] = process.argv.slice(2);
const sys = loadSyscalls();

const published = new Set<string>();

const print = (event: string, path?: string): void => void process.stdout.write(`${JSON.stringify({ event, path })}\n`);

function method<Request>(answer: (request: Request) => object | Promise<object>) {
  return (call: ServerUnaryCall<Request, object>, done: sendUnaryData<object>): void => {
    Promise.resolve()
      .then(() => answer(call.request))
      .then(
        (response) => done(null, response),
        (error: Error) => done({ code: 13, details: error.message }),
      );
  };
}

async function publish({ targetPath }: { readonly targetPath: string }): Promise<object> {
  // The kubelet publishes again after its restart. To touch the path then, this process would have to answer itself.
  if (published.has(targetPath)) return {};
  published.add(targetPath);
  mkdirSync(targetPath, { recursive: true });
  await serveTree({ target: targetPath, lower: emptyTree, source: name });
  print('published', targetPath);
  return {};
}

function unpublish({ targetPath }: { readonly targetPath: string }): object {
  print('unpublished', targetPath);
  published.delete(targetPath);
  sys.umount(targetPath, MNT_DETACH);
  rmdirSync(targetPath);
  return {};
}

const csi = new Server();
csi.addService(loadCsiServices().Node, {
  NodeGetInfo: method(() => ({ nodeId: 'neighbour' })),
  NodeGetCapabilities: method(() => ({ capabilities: [] })),
  NodePublishVolume: method(publish),
  NodeUnpublishVolume: method(unpublish),
});
await listenOn(csi, endpoint);
const registrar = new Server();
registrar.addService(registrationService(), {
  GetInfo: method(() => ({ type: 'CSIPlugin', name, endpoint, supportedVersions: ['1.0.0'] })),
  NotifyRegistrationStatus: method(() => ({})),
});
await listenOn(registrar, join(registry, `${name}-reg.sock`));
print('ready');
