import { describe, expect, it } from 'vitest';
import { containerIdentity } from './container-identity.ts';
import { parseMountinfo } from './mountinfo.ts';

const uid = '6f1bdc4a-1111-4222-8333-123456789abc';
const line = (root: string, point: string) => `1 2 0:3 ${root} ${point} rw - ext4 /dev/vda rw\n`;
const hosts = line(`/var/lib/kubelet/pods/${uid}/etc-hosts`, '/etc/hosts');
const log = line(`/var/lib/kubelet/pods/${uid}/containers/app/0a1b2c3d`, '/dev/termination-log');
const identity = (text: string) => containerIdentity(parseMountinfo(text));

describe('containerIdentity', () => {
  it('names the pod and the container', () => {
    expect(identity(hosts + log)).toEqual({ podUid: uid, name: 'app' });
  });

  it('does so wherever the kubelet keeps its files and the pod its termination log', () => {
    const elsewhere = line(`/data/kubelet/pods/${uid}/containers/app/0a1b2c3d`, '/tmp/why');
    expect(identity(elsewhere)).toEqual({ podUid: uid, name: 'app' });
  });

  it('knows a static pod by the hash that the kubelet gives it', () => {
    const hash = '81d1e0a3f6c3b6e5a7f2d9c8b4a5e6f7';
    expect(identity(line(`/pods/${hash}/containers/etcd/1`, '/dev/termination-log'))?.podUid).toBe(hash);
  });

  it.each([
    ['nothing of a pod', line('/', '/')],
    ['only an etc-hosts', hosts],
    ['the files of two pods', line('/pods/other/etc-hosts', '/etc/hosts') + log],
    ['a directory of a container', line(`/pods/${uid}/containers/app`, '/dev/termination-log')],
    ['a file below', line(`/pods/${uid}/containers/app/1/more`, '/dev/termination-log')],
  ])('is not deceived by %s', (_, text) => {
    expect(identity(text)).toBeUndefined();
  });
});
