import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CsiClient } from '../../recovery/csi/client.ts';
import { createCsiNode } from './csi.ts';

let root: string;
let calls: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rekindle-csi-'));
  calls = [];
});
afterEach(() => rmSync(root, { recursive: true }));

/** A node with a driver that stages volumes; `unstage` delays its call. */
function nodeWith(unstage: () => Promise<void> = async () => {}) {
  const note = (call: string) => async () => void calls.push(call);
  const client = {
    nodeGetCapabilities: async () => ({ capabilities: [{ rpc: { type: 'STAGE_UNSTAGE_VOLUME' } }] }),
    nodeStageVolume: note('stage'),
    nodePublishVolume: note('publish'),
    nodeUnpublishVolume: note('unpublish'),
    nodeUnstageVolume: async () => {
      calls.push('unstage begins');
      await unstage();
      calls.push('unstage ends');
    },
  } as unknown as CsiClient;
  return createCsiNode({ driver: () => client }, 1);
}

const requestOf = (pod: string) => ({
  driver: 'x.example.com',
  volumeId: 'v',
  stagingTargetPath: join(root, 'staging'),
  targetPath: join(root, pod),
  accessMode: 'MULTI_NODE_MULTI_WRITER' as const,
  readOnly: false,
  mountFlags: [],
  volumeContext: {},
});

it('keeps a volume staged for a pod that waits for it', async () => {
  const node = nodeWith();
  await node.stage(requestOf('a'));
  await node.publish(requestOf('a'));
  await node.stage(requestOf('b'));
  await node.unpublish(requestOf('a'));
  await node.unstage(requestOf('a'));
  await node.publish(requestOf('b'));
  expect(calls).toEqual(['stage', 'publish', 'unpublish', 'publish']);
});

it('stages a volume for its first pod, and again when the kubelet has started again', async () => {
  const node = nodeWith();
  await node.stage(requestOf('a'));
  await node.stage(requestOf('b'));
  expect(calls).toEqual(['stage']);
  node.restart();
  await node.stage(requestOf('a'));
  await node.stage(requestOf('b'));
  expect(calls).toEqual(['stage', 'stage']);
});

it('stages a volume again only when it has been unstaged', async () => {
  const unstaging = Promise.withResolvers<void>();
  const node = nodeWith(() => unstaging.promise);
  await node.stage(requestOf('a'));
  await node.publish(requestOf('a'));
  await node.unpublish(requestOf('a'));
  const unstaged = node.unstage(requestOf('a'));
  await expect.poll(() => calls).toContain('unstage begins');
  const staged = node.stage(requestOf('b'));
  unstaging.resolve();
  await Promise.all([unstaged, staged]);
  expect(calls.slice(3)).toEqual(['unstage begins', 'unstage ends', 'stage']);
});
