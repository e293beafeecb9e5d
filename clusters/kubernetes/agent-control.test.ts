import { describe, expect, it } from 'vitest';
import { withFlags, withGate } from './agent-control.ts';

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

  it('have the gate of standbys while it is asked for', () => {
    const on = withFlags(deployed, { fuseRecovery: true, standby: true });
    expect(on[1]).toBe('--feature-gates=FuseRecovery=true,FuseStandby=true');
    expect(withFlags(on, { fuseRecovery: false })).toEqual(deployed);
  });
});

describe('the arguments of an agent that others deployed', () => {
  const others = '--feature-gates=A=true,FuseRecovery=false,B=false';
  it.each<[readonly string[], boolean | 'default', readonly string[]]>([
    [['--x', others], true, ['--x', '--feature-gates=A=true,FuseRecovery=true,B=false']],
    [['--x', others], false, ['--x', others]],
    [['--feature-gates=A=true', '--x'], true, ['--feature-gates=A=true,FuseRecovery=true', '--x']],
    [['--feature-gates', 'A=true', '--x'], true, ['--feature-gates', 'A=true,FuseRecovery=true', '--x']],
    [['--feature-gates', 'FuseRecovery=true'], false, ['--feature-gates', 'FuseRecovery=false']],
    [['--x'], true, ['--x', '--feature-gates=FuseRecovery=true']],
    [['--x', '--feature-gates=A=true'], false, ['--x', '--feature-gates=A=true']],
    [['--x', others], 'default', ['--x', '--feature-gates=A=true,B=false']],
    [['--x', '--feature-gates=FuseRecovery=true'], 'default', ['--x']],
    [['--feature-gates', 'FuseRecovery=true', '--x'], 'default', ['--x']],
  ])('%j with the gate %j are %j', (args, isOn, expected) => {
    expect(withGate(args, isOn)).toEqual(expected);
  });
});
