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
import { MNT_DETACH, MS_NODEV, MS_NOSUID, MS_RDONLY } from '../../recovery/linux/syscalls.ts';
import { RawFuse } from '../fuse/raw-fuse.ts';
import { serve } from '../fuse/serve.ts';
import { emptyTree } from '../fuse/tree.ts';
import { WrittenTree } from '../fuse/written-tree.ts';

const [name = '', endpoint = '', registry = ''] = process.argv.slice(2);
const sys = loadSyscalls();

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
  mkdirSync(targetPath, { recursive: true });
  const tree = new WrittenTree({ lower: emptyTree, now: Date.now, onChange: () => {} });
  const { promise, resolve } = Promise.withResolvers<void>();
  const operations = serve({ tree, behaviour: () => ({}), emit: () => {}, onReady: resolve, crash: () => {} });
  const fuse = new RawFuse(targetPath, operations, {
    fsname: name,
    subtype: 'neighbour',
    mountFuse({ source, target, fstype, data }) {
      const mounted = sys.mount({ source, target, fstype, flags: MS_NOSUID | MS_NODEV | MS_RDONLY, data });
      return mounted.ok ? undefined : 1;
    },
  } as ConstructorParameters<typeof RawFuse>[2]);
  fuse.mount((error) => {
    if (error) throw error;
  });
  await promise;
  print('published', targetPath);
  return {};
}

function unpublish({ targetPath }: { readonly targetPath: string }): object {
  print('unpublished', targetPath);
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
