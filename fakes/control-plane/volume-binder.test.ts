import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { bindVolume } from './volume-binder.ts';

const claim = (extra: V1PersistentVolumeClaim = {}): V1PersistentVolumeClaim => ({
  metadata: { namespace: 'default', name: 'd' },
  ...extra,
});
const volume = (name: string, phase = 'Pending', claimName = 'd'): V1PersistentVolume => ({
  metadata: { name },
  spec: {
    accessModes: ['ReadOnlyMany'],
    capacity: { storage: '1Gi' },
    claimRef: { namespace: 'default', name: claimName },
  },
  status: { phase },
});

describe('a claim', () => {
  it('is bound to the volume that names it, and the volume to it', () => {
    expect(bindVolume(claim(), [volume('other', 'Pending', 'e'), volume('v')])).toEqual({
      volumeName: 'v',
      claimStatus: { phase: 'Bound', accessModes: ['ReadOnlyMany'], capacity: { storage: '1Gi' } },
      volumeStatus: { phase: 'Bound' },
    });
  });

  it('needs nothing once both are bound', () => {
    const bound = claim({ spec: { volumeName: 'v' }, status: { phase: 'Bound' } });
    expect(bindVolume(bound, [volume('v', 'Bound')])).toEqual({});
  });

  it('waits for the volume that it names', () => {
    expect(bindVolume(claim({ spec: { volumeName: 'w' } }), [volume('v')])).toEqual({});
  });

  it('is not bound while it is being deleted', () => {
    const deleted = claim({ metadata: { namespace: 'default', name: 'd', deletionTimestamp: new Date(0) } });
    expect(bindVolume(deleted, [volume('v')])).toEqual({});
  });
});
