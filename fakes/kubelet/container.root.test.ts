import { describe, expect, it } from 'vitest';
import { inNamespaces } from './testing/in-namespaces.ts';

const root = process.getuid?.() === 0;

type Seen = Readonly<Record<string, unknown>>;

describe.skipIf(!root)('a container (needs root)', () => {
  it('is process 1 of its own PID namespace, sees only its own mounts, and can be entered', () => {
    const seen = inNamespaces<Seen>('./one-container.ts');
    expect(seen).toMatchObject({ pid: '1', data: 'from the volume', readOnly: true, hostsFromPod: true, node: false });
    expect(seen.exec).toBe('1 from inside');
    expect(seen.exit).toEqual({ exitCode: 7, signal: null });
  });

  it('has exactly the privileges of its security context, and the processes of the node if it asks for them', () => {
    // CAP_DAC_READ_SEARCH is 2, CAP_SYS_ADMIN is 21.
    const both = '0000000000200004';
    expect(inNamespaces<Seen>('./privileges.ts', 'sys_admin', 'dac_read_search')).toEqual({
      effective: both,
      bounding: both,
      inheritable: '0000000000000000',
      noNewPrivileges: '1',
      written: '/dev/shm',
      seesNode: true,
      ownMounts: true,
    });
  });

  it('has none if its security context adds none', () => {
    const none = '0000000000000000';
    expect(inNamespaces<Seen>('./privileges.ts')).toMatchObject({ effective: none, bounding: none });
  });

  it('propagates mounts from and to the node by its propagation mode', () => {
    const seen = inNamespaces<Seen>('./propagation.ts');
    expect(seen).toEqual({
      none: false,
      hostToContainer: true,
      bidirectional: true,
      fromContainer: true,
      fromNone: false,
    });
  });
});
