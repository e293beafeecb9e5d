import { describe, expect, it } from 'vitest';
import { parseDuration } from '../clock.ts';
import { parseFlags } from './flags.ts';

const needed = ['--nodeid=node-1', '--endpoint=unix:///csi/csi.sock'];
const parse = (argv: string[] = [], env: Record<string, string> = {}) =>
  parseFlags({ argv: [...needed, ...argv], env });

function options(argv: string[] = [], env: Record<string, string> = {}) {
  const parsed = parse(argv, env);
  if (parsed.kind !== 'run') throw new Error(parsed.kind === 'error' ? parsed.message : 'help');
  return parsed.options;
}

describe('flags', () => {
  it('have the documented defaults, with recovery off', () => {
    expect(options()).toEqual({
      nodeId: 'node-1',
      csi: { endpoint: 'unix:///csi/csi.sock', registration: undefined },
      beside: undefined,
      metrics: { host: undefined, port: 8080 },
      status: undefined,
      kubeconfig: undefined,
      policy: {
        enabled: false,
        readWriteScope: 'volume',
        subPath: 'refuse',
        pods: 'label',
        unsupportedRuntimes: expect.arrayContaining(['kata', 'gvisor', 'runv']),
      },
      standby: false,
      takeover: false,
      kernelTier: undefined,
      abortHungAfter: undefined,
      fallback: false,
      nodeMountNamespace: undefined,
      patchNodes: 'kubelet',
      kubeletKubeConfig: '/etc/kubernetes/kubelet.conf',
      resyncPeriod: 5_000_000_000n,
      mountRoot: '/runtime-mnt',
      kubeletRoot: '/var/lib/kubelet',
    });
  });

  it("take all of Fluid's arguments and environment", () => {
    const parsed = parseFlags({
      argv: [
        'start',
        '--nodeid=n',
        '--endpoint=unix:///var/lib/kubelet/csi-plugins/fuse.csi.fluid.io/csi.sock',
        '--v=5',
        '--feature-gates=FuseRecovery=true',
        '--prune-fs=fuse.alluxio-fuse,fuse.jindofs-fuse',
        '--prune-path=/runtime-mnt',
        '--pprof-addr=:6060',
      ],
      env: { MOUNT_ROOT: '/mnt/fluid/', KUBELET_ROOTDIR: '/data/kubelet', RECOVER_FUSE_PERIOD: '1m30s' },
    });
    expect(parsed).toMatchObject({
      kind: 'run',
      options: {
        nodeId: 'n',
        policy: { enabled: true },
        mountRoot: '/mnt/fluid',
        kubeletRoot: '/data/kubelet',
        resyncPeriod: 90_000_000_000n,
      },
    });
  });

  it('register the driver where the kubelet finds its socket', () => {
    expect(options(['--kubelet-registration-path=/var/lib/kubelet/plugins/f/csi.sock']).csi?.registration).toEqual({
      endpoint: '/var/lib/kubelet/plugins/f/csi.sock',
      directory: '/registration',
    });
  });

  it('need no socket beside another node plugin, and serve none', () => {
    const argv = ['--nodeid=n', '--beside=fluid-system/csi-nodeplugin-fluid'];
    expect(parseFlags({ argv, env: { CSI_ENDPOINT: 'unix:///x/y.sock' } })).toMatchObject({
      kind: 'run',
      options: { csi: undefined, beside: { namespace: 'fluid-system', name: 'csi-nodeplugin-fluid' } },
    });
    expect(parseFlags({ argv: ['--nodeid=n', '--beside=yes'], env: {} })).toMatchObject({
      kind: 'error',
      message: expect.stringContaining('--beside=yes is not NAMESPACE/NAME'),
    });
  });

  it('take node and socket from the environment', () => {
    const parsed = parseFlags({ argv: [], env: { NODE_ID: 'n', CSI_ENDPOINT: 'unix:///x/y.sock' } });
    expect(parsed).toMatchObject({ kind: 'run', options: { nodeId: 'n', csi: { endpoint: 'unix:///x/y.sock' } } });
  });

  it('may have their value as the next word', () => {
    expect(options(['--kernel-tier', '5.10', '--kubeconfig', '/k']).kernelTier).toBe('5.10');
    expect(options(['--v', '5', '--pods', 'all']).policy.pods).toBe('all');
    expect(options(['-v', '--pods', 'all']).policy.pods).toBe('all');
  });

  it.each([
    ['FuseRecovery=true', true],
    ['FuseRecovery=false', false],
    ['FuseRecovery=1', true],
    ['FuseRecovery=F', false],
    ['', false],
    ['FuseRecovery=false,FuseRecovery=true', true],
  ])('--feature-gates=%s sets the gate to %s', (text, enabled) => {
    expect(options([`--feature-gates=${text}`]).policy.enabled).toBe(enabled);
  });

  it.each([
    ['FuseRecovery=true,FuseStandby=true', true],
    ['FuseStandby=true,FuseRecovery=true,FuseStandby=false', false],
  ])('--feature-gates=%s sets the gate of standbys to %s', (text, standby) => {
    expect(options([`--feature-gates=${text}`])).toMatchObject({ standby, policy: { enabled: true } });
  });

  it('has a gate of takeover, which needs recovery', () => {
    expect(options(['--feature-gates=FuseRecovery=true,FuseTakeover=true'])).toMatchObject({ takeover: true });
    expect(parse(['--feature-gates=FuseTakeover=true'])).toMatchObject({
      message: expect.stringContaining('FuseTakeover=true needs FuseRecovery=true'),
    });
  });

  it.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    [':9100', { host: undefined, port: 9100 }],
    ['[::1]:9100', { host: '::1', port: 9100 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
  ])('--metrics-addr=%s is understood', (text, expected) => {
    expect(options([`--metrics-addr=${text}`]).metrics).toEqual(expected);
  });

  it.each([
    [['--fuse-recovery=true'], {}, '--fuse-recovery=true is not known; the flags are --nodeid, '],
    [['extra'], {}, 'extra is not known'],
    [['--pods'], {}, '--pods needs a value, as in --pods=VALUE'],
    [['--pods=some'], {}, '--pods=some: the accepted values are label, all'],
    [['--kernel-tier=6.4'], {}, '--kernel-tier=6.4: the accepted values are 6.5, 5.12, 5.10'],
    [['--read-write-scope=all'], {}, '--read-write-scope=all: the accepted values are volume, cluster, recover'],
    [['--sub-path=x'], {}, '--sub-path=x: the accepted values are refuse, recover'],
    [
      ['--feature-gates=Other=true'],
      {},
      '--feature-gates: Other is not known; the gates are FuseRecovery, FuseStandby',
    ],
    [['--feature-gates=FuseRecovery'], {}, '--feature-gates: FuseRecovery: the accepted values are FuseRecovery=true'],
    [['--feature-gates=FuseStandby=true'], {}, '--feature-gates: FuseStandby=true needs FuseRecovery=true'],
    [['--feature-gates=FuseRecovery=yes'], {}, '--feature-gates: FuseRecovery=yes: the accepted values are'],
    [['--metrics-addr=8080'], {}, '--metrics-addr=8080 is not of the form HOST:PORT or :PORT'],
    [['--metrics-addr=:70000'], {}, '--metrics-addr=:70000 is not of the form'],
    ...[':8081', '0.0.0.0:8081', '10.0.0.1:8081', '[::]:8081', 'localhost:8081'].map(
      (text): [string[], object, string] => [[`--status-addr=${text}`], {}, 'is not a loopback address'],
    ),
    [['--abort-hung-after=30'], {}, '--abort-hung-after=30 is not a duration of at least 100ms'],
    [['--endpoint=tcp://1'], {}, '--endpoint: endpoint "tcp://1" is not of the form unix:///path'],
    [['--nodeid='], {}, '--nodeid or NODE_ID is needed'],
    [[], { RECOVER_FUSE_PERIOD: '5' }, 'RECOVER_FUSE_PERIOD=5 is not a duration of at least 100ms, such as 5s'],
    [[], { RECOVER_FUSE_PERIOD: '0s' }, 'RECOVER_FUSE_PERIOD=0s is not a duration of at least 100ms'],
    [[], { MOUNT_ROOT: 'runtime-mnt' }, 'MOUNT_ROOT=runtime-mnt is not an absolute path'],
    [[], { KUBELET_ROOTDIR: '/a/../b' }, 'KUBELET_ROOTDIR=/a/../b is not an absolute path'],
  ])('%j with %j is one sentence', (argv, env, said) => {
    const parsed = parse(argv, env as Record<string, string>);
    expect(parsed.kind).toBe('error');
    expect(parsed).toMatchObject({ message: expect.stringContaining(said) });
    expect(parsed.kind === 'error' && parsed.message.includes('\n')).toBe(false);
  });

  it('explain themselves', () => {
    const parsed = parse(['--help']);
    expect(parsed).toMatchObject({ kind: 'help', text: expect.stringContaining('--feature-gates FuseRecovery=true') });
  });
});

describe('a Go duration', () => {
  it.each([
    ['5s', 5_000_000_000n],
    ['1m30s', 90_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['250ms', 250_000_000n],
    ['.5s', 500_000_000n],
    ['10µs', 10_000n],
    ['0', 0n],
  ])('%s is understood', (text, expected) => expect(parseDuration(text)).toBe(expected));

  it.each(['', '5', 's', '-5s', '5 s', '5sec', '1e3s', '5s ', '9999999999h'])('"%s" is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
