import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { expect, it, test } from 'vitest';
import type { Colour } from '../colour.ts';
import type { ClusterStatus, MountStatus } from './cluster-status.ts';
import { age, renderStatus } from './render-status.ts';

const takenAt = '2026-01-01T12:00:00.000Z';
const ago = (seconds: number) => new Date(Date.parse(takenAt) - seconds * 1000).toISOString();
const plain: Colour = (_, text) => text;
const painted: Colour = (format, text) => styleText(format, text, { validateStream: false });

const target = '/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/v/mount';
const mount = (facts: Partial<MountStatus>): MountStatus => ({
  namespace: 'default',
  pod: 'demo-app',
  podUid: 'u',
  path: facts.container === undefined ? target : '/data',
  state: 'healthy',
  since: ago(38),
  ...facts,
});
const detail =
  'volume default-scratch is not read-only (ReadWriteMany): give its Dataset the access mode ReadOnlyMany only, or restart the pod once the daemon is back';
const refused = {
  pod: 'writer',
  podUid: 'w',
  state: 'orphaned',
  since: ago(190),
  reason: 'read-write',
  detail,
} as const;
const volume = (name: string, since: number, mounts: readonly MountStatus[]) => ({
  name: `default-${name}`,
  dataset: { namespace: 'default', name },
  daemons: [{ path: `/runtime-mnt/jindo/default/${name}/jindofs-fuse`, state: 'live' as const, since: ago(since) }],
  mounts: [...mounts],
});
const example: ClusterStatus = {
  schemaVersion: 1,
  takenAt,
  nodes: [
    {
      schemaVersion: 1,
      node: 'worker-1',
      agent: { version: '0.2.0', kernelTier: '6.5', recovery: true, startedAt: ago(3600), problems: [] },
      volumes: [
        volume('scratch', 190, [mount(refused), mount({ ...refused, container: 'app' })]),
        volume('demo-dataset', 40, [
          mount({ lastRecovery: { at: ago(38), outageMs: 412 } }),
          mount({ container: 'demo', lastRecovery: { at: ago(38), outageMs: 405 } }),
        ]),
      ],
    },
  ],
  unreachable: [],
};

it('prints what the how-to page shows', () => {
  const page = readFileSync(new URL('../../docs/how-to/see-which-mounts-are-dead.md', import.meta.url), 'utf8');
  const shown = /```text\n(.*?)```/s.exec(page)?.[1];
  expect(renderStatus(example, { colour: plain, width: 80 })).toBe(shown);
});

test.each([60, 80, 132])('fits %i columns, whatever the names are', (width) => {
  const [node] = example.nodes;
  if (node === undefined) throw new Error('no node');
  const long = mount({
    namespace: 'a-namespace-with-a-long-name',
    pod: `an-application-${'x'.repeat(200)}`,
    container: 'y'.repeat(63),
  });
  const status = { ...example, nodes: [{ ...node, volumes: [volume('demo', 1, [long])] }] };
  const lines = renderStatus(status, { colour: plain, width }).split('\n');
  expect(lines.filter((line) => line.length > width)).toEqual([]);
});

it('has the same text with colours', () => {
  const text = renderStatus(example, { colour: painted, width: 80 });
  expect(text).not.toBe(renderStatus(example, { colour: plain, width: 80 }));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
  expect(text.replaceAll(/\x1b\[\d+m/g, '')).toBe(renderStatus(example, { colour: plain, width: 80 }));
});

it('puts what cannot be read first, and names agents that did not answer', () => {
  const [node] = example.nodes;
  if (node === undefined) throw new Error('no node');
  const mounts = [mount({ container: 'fine' }), mount({ container: 'broken', state: 'hung' })];
  const text = renderStatus(
    {
      ...example,
      nodes: [{ ...node, volumes: [volume('demo', 1, mounts)] }],
      unreachable: [{ node: 'worker-2', error: 'no answer within 10 s' }],
    },
    { colour: plain, width: 80 },
  );
  expect(text).toContain('✘ 2 mounts on 1 node of 2: 1 mount of 1 pod cannot be read');
  expect(text).toContain('node worker-2: its agent could not be asked: no answer within 10 s');
  expect(text.indexOf('broken')).toBeLessThan(text.indexOf('fine'));
});

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [7200, '2h'],
  [172_800, '2d'],
  [-5, '0s'],
])('an age of %i s is %s', (seconds, expected) => {
  expect(age(ago(seconds), Date.parse(takenAt))).toBe(expected);
});
