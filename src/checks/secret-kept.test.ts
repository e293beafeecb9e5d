import { describe, expect, it } from 'vitest';
import { isKeptOutOfNode, isKeptOutOfOutput } from './secret-kept.ts';

describe('a secret', () => {
  it('is not in the output, or the check names the files that hold it', () => {
    expect(isKeptOutOfOutput({ files: 9, found: [] }).verdict).toBe('pass');
    expect(isKeptOutOfOutput({ files: 9, found: ['logs/agent.log'] })).toMatchObject({
      verdict: 'fail',
      says: 'it is in logs/agent.log',
    });
  });

  it('is in no process or file, or the check names those that hold it', () => {
    expect(isKeptOutOfNode({ secrets: 1, processes: 20, files: 5, found: [] }).verdict).toBe('pass');
    const found = ['environ of process 7 (node)'];
    expect(isKeptOutOfNode({ secrets: 1, processes: 20, files: 5, found })).toMatchObject({
      verdict: 'fail',
      says: 'it is in the environ of process 7 (node)',
    });
  });

  it('is inconclusive if no secret exists', () => {
    expect(isKeptOutOfNode({ secrets: 0, processes: 20, files: 5, found: [] }).verdict).toBe('inconclusive');
  });
});
