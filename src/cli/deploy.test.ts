import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-cli-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { context, stdout, stderr } = createFakeContext({ cwd, env: { HOME: cwd, ...env } });
  const status = await rekindle(argv, context);
  return { status, out: stdout(), err: stderr() };
}

/** Nobody listens on a port that a server had a moment ago, or ever: discard (RFC 863). */
function writeKubeConfig(name: string, context: string): string {
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:19', 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
    'current-context': context,
  };
  const path = join(cwd, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe('deploy --print', () => {
  const kinds = (text: string) =>
    parseAllDocuments(text).map((document) => (document.toJS() as { readonly kind: string }).kind);

  test('prints all manifests with the image and the flags that were given, and asks no cluster', async () => {
    const { status, out } = await run(['deploy', '--print', '--image', 'here/agent:7', '--', '--sub-path=recover']);
    expect(status).toBe(0);
    expect(kinds(out)).toEqual(expect.arrayContaining(['Namespace', 'CSIDriver', 'DaemonSet', 'Deployment']));
    expect(out.match(/image: here\/agent:7/g)).toHaveLength(2);
    expect(out).toContain('- --sub-path=recover');
    expect(out).toContain('- --feature-gates=FuseRecovery=false');
  });

  test('prints both gates on with --standby', async () => {
    const { out } = await run(['deploy', '--print', '--standby']);
    expect(out).toContain('- --feature-gates=FuseRecovery=true,FuseStandby=true');
  });

  test('prints a keeper with --takeover', async () => {
    const { out } = await run(['deploy', '--print', '--takeover']);
    expect(out).toContain('- --feature-gates=FuseRecovery=true,FuseTakeover=true');
    expect(out).toContain('name: rekindle-keeper');
  });

  test('prints where the kubelet and the daemons are, and how the API server reaches the webhook', async () => {
    const places = ['--kubelet-root', '/data/kubelet/', '--mount-root=/var/lib/runtime-mnt', '--runtime-class=runc'];
    const { out } = await run(['deploy', '--print', ...places, '--webhook-port=10250', '--webhook-host-network']);
    expect(out).toContain('path: /data/kubelet/plugins_registry');
    expect(out.match(/\/var\/lib\/runtime-mnt/g)).toHaveLength(2);
    expect(out).not.toContain('/var/lib/kubelet');
    expect(out).toContain('- --listen=:10250');
    expect(out).toContain('hostNetwork: true');
    expect(out.match(/runtimeClassName: runc/g)).toHaveLength(2);
  });

  test('prints recovery alone with --beside, in a namespace of its own', async () => {
    const { out } = await run(['deploy', '--print', '--beside']);
    const access = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'ClusterRole'];
    expect(kinds(out)).toEqual(['Namespace', ...access, 'DaemonSet']);
    expect(out).toContain('namespace: rekindle-system');
    expect(out).toContain('- --beside=fluid-system/csi-nodeplugin-fluid');
  });
});

describe('a cluster that cannot be chosen ends with 2 and one sentence', () => {
  test.each<[string, readonly string[], string]>([
    ['no kubeconfig', ['deploy'], '.kube/config: name one with --kubeconfig or KUBECONFIG'],
    ['a missing file', ['deploy', '--kubeconfig', 'nowhere'], 'there is no kubeconfig at nowhere'],
    ['a missing file', ['doctor', '--kubeconfig', 'nowhere'], 'there is no kubeconfig at nowhere'],
    ['no YAML', ['deploy', '--kubeconfig', 'bad'], 'bad is not a kubeconfig'],
    ['an unknown context', ['deploy', '--kubeconfig', 'good', '--context', 'b'], 'unknown context "b": accepted are a'],
    [
      'a bad time',
      ['deploy', '--kubeconfig', 'good', '--timeout', 'soon'],
      "argument 'soon' is invalid. Accepted are times of a second and more, as 5s or 2m.",
    ],
    [
      'no path',
      ['deploy', '--print', '--kubelet-root', 'kubelet'],
      "argument 'kubelet' is invalid. Accepted are absolute",
    ],
    ['the root', ['deploy', '--print', '--mount-root', '/'], "argument '/' is invalid. Accepted are absolute paths"],
    [
      'a port of root',
      ['deploy', '--print', '--webhook-port', '443'],
      'Accepted are whole numbers from 1024 to 65535.',
    ],
    ['no name', ['deploy', '--print', '--runtime-class', 'Run C'], 'Accepted are names of lower case letters'],
    ['two wishes', ['deploy', '--remove', '--print'], '--remove and --print cannot be combined'],
    ['half a bucket', ['doctor', '--kubeconfig', 'good', '--bucket', 'b'], '--endpoint and --bucket belong together'],
    [
      'a bad Secret',
      ['doctor', '--kubeconfig', 'good', '--bucket', 'b', '--endpoint', 'http://h', '--secret', 's'],
      'bad --secret "s": it is NAMESPACE/NAME',
    ],
  ])('%s', async (_, argv, says) => {
    writeKubeConfig('good', 'a');
    writeFileSync(join(cwd, 'bad'), '{');
    const { status, out, err } = await run(argv);
    expect(err).toContain(says);
    expect(err.match(/\n/g)).toHaveLength(1);
    expect({ status, out }).toEqual({ status: 2, out: '' });
  });
});

test.each(['deploy', 'doctor'])(
  '%s of a cluster that is gone ends with 3, its address and what to do',
  async (verb) => {
    const kubeconfig = writeKubeConfig('good', 'a');
    const { status, err } = await run([verb, '--kubeconfig', kubeconfig]);
    expect(err).toMatch(
      /^rekindle: cannot run here: https:\/\/127\.0\.0\.1:19 does not answer \(.+\): start the cluster/m,
    );
    expect(status).toBe(3);
  },
);

test('KUBECONFIG may name several files, of which those that are there are merged', async () => {
  const paths = [writeKubeConfig('one', 'a'), join(cwd, 'missing'), writeKubeConfig('two', 'b')];
  const { err } = await run(['deploy', '--context', 'c'], { KUBECONFIG: paths.join(':') });
  expect(err).toContain('unknown context "c": accepted are a, b');
});
