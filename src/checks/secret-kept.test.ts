import { describe, expect, it } from 'vitest';
import { isKeptOutOfOutput, isKeptOutOfProcesses } from './secret-kept.ts';

describe('a secret that has to be kept', () => {
  it('was kept out of the output, or the check says in which files it is', () => {
    expect(isKeptOutOfOutput({ files: 9, found: [] }).verdict).toBe('pass');
    expect(isKeptOutOfOutput({ files: 9, found: ['logs/agent.log'] })).toMatchObject({
      verdict: 'fail',
      says: 'it is in logs/agent.log',
    });
  });

  it('was kept out of the processes, or the check says in which it is', () => {
    expect(isKeptOutOfProcesses({ secrets: 1, processes: 20, found: [] }).verdict).toBe('pass');
    const found = ['environ of process 7 (node)'];
    expect(isKeptOutOfProcesses({ secrets: 1, processes: 20, found })).toMatchObject({
      verdict: 'fail',
      says: 'it is in the environ of process 7 (node)',
    });
  });

  it('does not tell where no secret was there to be found', () => {
    expect(isKeptOutOfProcesses({ secrets: 0, processes: 20, found: [] }).verdict).toBe('inconclusive');
  });
});
