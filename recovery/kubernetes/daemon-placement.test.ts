import { describe, expect, it } from 'vitest';
import type { Mount } from '../engine/model.ts';
import { placeByNodeLabel } from './daemon-placement.ts';
import { objectAt } from './json.ts';
import { ApiError, type ApiRequest } from './transport.ts';

const { signal } = new AbortController();
const label = 'fluid.io/f-default-demo';
const attributes = {
  fluid_path: '/runtime-mnt/jindo/default/demo/jindofs-fuse',
  runtime_namespace: 'default',
  runtime_name: 'demo',
  mount_pod_node_selector_key: label,
};
const volume = {
  spec: {
    claimRef: { namespace: 'default', name: 'demo' },
    csi: { driver: 'fuse.csi.fluid.io', volumeHandle: 'default-demo', volumeAttributes: attributes },
  },
};
const group = '/apis/data.fluid.io/v1alpha1/namespaces/default';
const objects = (cleanPolicy?: string): Record<string, object> => ({
  '/api/v1/persistentvolumes/default-demo': volume,
  [`${group}/datasets/demo`]: { status: { runtimes: [{ type: 'jindo' }] } },
  [`${group}/jindoruntimes/demo`]: { spec: { fuse: cleanPolicy === undefined ? {} : { cleanPolicy } } },
});

/** An API server with objects by path, which records the patches of nodes. */
function rig(stored: Record<string, object>, mounts: readonly Partial<Mount>[] = [], status = 200) {
  const patches: unknown[] = [];
  const transport = {
    async json(request: ApiRequest) {
      const { method, path, body } = request;
      if (method === 'PATCH') {
        if (status !== 200) throw new ApiError(status, request, 'refused');
        patches.push({ path, ...objectAt(body?.value, 'metadata') });
        return {};
      }
      const found = stored[path];
      if (found === undefined) throw new ApiError(404, request, 'not found');
      return found;
    },
  };
  const hostMounts = () => ({ ok: true, value: mounts as readonly Mount[] }) as const;
  const placement = placeByNodeLabel({ nodeName: 'n1', transport, nodeTransport: () => transport, hostMounts });
  return { patches, placement };
}

const request = (context: Record<string, string>) => ({ volumeId: 'default-demo', volumeContext: context });
const mountAt = (mountPoint: string, device: string): Partial<Mount> =>
  ({ mountPoint, device, id: mountPoint.length, parentId: 1, root: '/', fstype: 'fuse.jindo' }) as never;

describe('a staged volume', () => {
  it.each<[string, Record<string, string>, string]>([
    ['that its attribute names', attributes, label],
    ['of its runtime if it has no such attribute', { runtime_namespace: 'default', runtime_name: 'demo' }, label],
  ])('gives the node the label %s', async (_, context, key) => {
    const { placement, patches } = rig({});
    expect(await placement.request(request(context), signal)).toMatchObject({ ok: true });
    expect(patches).toEqual([{ path: '/api/v1/nodes/n1', labels: { [key]: 'true' } }]);
  });

  it('needs no label if it has neither attribute nor runtime', async () => {
    const { placement, patches } = rig({});
    expect(await placement.request(request({}), signal)).toMatchObject({ ok: true });
    expect(patches).toEqual([]);
  });

  it.each(['kubernetes.io/hostname', 'fluid.io/f-a/b', 'node-role.kubernetes.io/fluid.io/f-x'])(
    'cannot give the node the label %s',
    async (key) => {
      const { placement, patches } = rig({});
      const refused = await placement.request(request({ mount_pod_node_selector_key: key }), signal);
      expect(refused).toMatchObject({ ok: false, code: 'INVALID_ARGUMENT', message: expect.stringContaining(key) });
      expect(patches).toEqual([]);
    },
  );

  it('is not staged without its label, and the message names the remedy if that is denied', async () => {
    const denied = await rig({}, [], 403).placement.request(request(attributes), signal);
    expect(denied).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    expect(denied).toMatchObject({ message: expect.stringContaining('no FUSE daemon starts here: PATCH') });
    expect(denied).toMatchObject({ message: expect.stringContaining('--kubelet-kube-config or --patch-nodes') });
    const failed = await rig({}, [], 500).placement.request(request(attributes), signal);
    expect(failed).toMatchObject({ message: expect.not.stringContaining('--patch-nodes') });
  });

  it('is staged once at a time', async () => {
    const { placement, patches } = rig({});
    const both = [placement.request(request(attributes), signal), placement.request(request(attributes), signal)];
    expect(await Promise.all(both)).toMatchObject([{ ok: true }, { ok: false, code: 'ABORTED' }]);
    expect(await placement.request(request(attributes), signal)).toMatchObject({ ok: true });
    expect(patches).toHaveLength(2);
  });
});

describe('a volume that is unstaged', () => {
  const withdraw = (...given: Parameters<typeof rig>) => {
    const { placement, patches } = rig(...given);
    return placement.withdraw('default-demo', signal).then((result) => ({ result, patches }));
  };

  it('takes the label from the node if its daemon runs on demand only', async () => {
    const { result, patches } = await withdraw(objects('OnDemand'));
    expect(result).toMatchObject({ ok: true });
    expect(patches).toEqual([{ path: '/api/v1/nodes/n1', labels: { [label]: null } }]);
  });

  it.each<[string, Record<string, object>]>([
    ['the daemon may continue', objects('OnRuntimeDeleted')],
    ['the runtime has the default policy', objects()],
    ['the volume is gone', {}],
    ['the runtime is gone', { '/api/v1/persistentvolumes/default-demo': volume }],
    [
      'the volume is of another driver',
      {
        ...objects('OnDemand'),
        '/api/v1/persistentvolumes/default-demo': {
          spec: { ...volume.spec, csi: { ...volume.spec.csi, driver: 'x' } },
        },
      },
    ],
  ])('leaves the label if %s', async (_, stored) => {
    const { result, patches } = await withdraw(stored);
    expect(result).toMatchObject({ ok: true });
    expect(patches).toEqual([]);
  });

  it.each<[string, readonly Partial<Mount>[]]>([
    ['a pod has it', [mountAt('/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/default-demo/mount', '0:9')]],
    [
      'a pod has another volume of the same daemon',
      [
        mountAt(attributes.fluid_path, '0:7'),
        mountAt('/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/other-demo/mount', '0:7'),
      ],
    ],
  ])('is refused while %s', async (_, mounts) => {
    const { result, patches } = await withdraw(objects('OnDemand'), mounts);
    expect(result).toMatchObject({ ok: false, code: 'FAILED_PRECONDITION' });
    expect(patches).toEqual([]);
  });
});
