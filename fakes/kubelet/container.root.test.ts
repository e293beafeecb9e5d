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
