import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseFlags } from '../../recovery/agent/flags.ts';
import { capabilities } from '../../recovery/deploy/agent-daemonset.ts';
import { deployedAgent } from './deployed-agent.ts';

let kubeletRoot: string;
beforeEach(() => {
  kubeletRoot = mkdtempSync(join(tmpdir(), 'rekindle-deployed-'));
});
afterEach(() => rmSync(kubeletRoot, { recursive: true }));

const spec = (gate: boolean | 'default' = true) =>
  deployedAgent({
    gate,
    manifest: { kubeletRoot, agentArgs: ['--kernel-tier=5.10'] },
    nodeName: 'sandbox',
    program: ['node', 'agent.mjs'],
    account: '/node/account',
    environment: { PATH: '/usr/bin' },
  });

it("runs the agent with its manifest's user, capabilities and no_new_privs, and without processes of its own", () => {
  expect(spec()).toMatchObject({
    hostPid: true,
    privileges: {
      capabilities: capabilities.map((name) => name.toLowerCase()),
      noNewPrivileges: true,
      readOnlyRoot: true,
    },
  });
  expect(spec().privileges).not.toHaveProperty('user');
});

it("gives it its manifest's arguments and environment, as a kubelet resolves them", () => {
  const { argv, environment } = spec();
  expect(argv.slice(0, 2)).toEqual(['node', 'agent.mjs']);
  const parsed = parseFlags({ argv: argv.slice(2), env: environment });
  expect(parsed).toMatchObject({
    kind: 'run',
    options: {
      nodeId: 'sandbox',
      csi: { endpoint: 'unix:///plugin/csi.sock', registration: { directory: '/registration' } },
      policy: { enabled: true },
      kernelTier: '5.10',
      nodeMountNamespace: 'kubelet',
      resyncPeriod: 5_000_000_000n,
      kubeletRoot,
    },
  });
});

it('mounts the host directories that the manifest names, which it creates, and the service account', () => {
  const { mounts } = spec();
  expect(mounts.map(({ source, target }) => [source, target])).toEqual([
    [join(kubeletRoot, 'csi-plugins/fuse.csi.fluid.io'), '/plugin'],
    [join(kubeletRoot, 'plugins_registry'), '/registration'],
    ['/node/account', '/var/run/secrets/kubernetes.io/serviceaccount'],
  ]);
  expect(readdirSync(kubeletRoot).toSorted()).toEqual(['csi-plugins', 'plugins_registry']);
});

it.each([true, false, 'default'] as const)('sets the gate to %s', (gate) => {
  const flag = spec(gate).argv.filter((argument) => argument.startsWith('--feature-gates'));
  expect(flag).toEqual(gate === 'default' ? [] : [`--feature-gates=FuseRecovery=${gate}`]);
});
