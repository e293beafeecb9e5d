import { describe, expect, it } from 'vitest';
import { withFlags } from './agent-control.ts';

const deployed = ['--nodeid=$(NODE_ID)', '--feature-gates=FuseRecovery=false', '--metrics-addr=:8080'];

describe('the flags of a deployed agent', () => {
  it('keep their positions, so that requesting the current flags changes nothing', () => {
    expect(withFlags(deployed, { fuseRecovery: false })).toEqual(deployed);
    expect(withFlags(deployed, { fuseRecovery: true })[1]).toBe('--feature-gates=FuseRecovery=true');
  });

  it('are added on request, and removed again', () => {
    const more = withFlags(deployed, { fuseRecovery: true, kernelTier: '5.10', abortHungAfter: '500ms' });
    expect(more.slice(3)).toEqual(['--kernel-tier=5.10', '--abort-hung-after=500ms']);
    expect(withFlags(more, { fuseRecovery: false })).toEqual(deployed);
  });
});
