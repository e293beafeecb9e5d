import { describe, expect, it } from 'vitest';
import { namespaceOf, parseCredentials, startTime } from './processes.ts';

describe('parseCredentials', () => {
  it('returns the effective ids and the groups', () => {
    const status = 'Name:\tsh\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t10 20 \nNStgid:\t1\n';
    expect(parseCredentials(status)).toEqual({ uid: 2, gid: 6, groups: [10, 20] });
  });

  it('returns no groups if the process has none', () => {
    const status = 'Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \nNStgid:\t25915\n';
    expect(parseCredentials(status)).toEqual({ uid: 0, gid: 0, groups: [] });
  });

  it('is undefined if the text has no ids', () => {
    expect(parseCredentials('')).toBeUndefined();
  });
});

describe('a process', () => {
  it('has a start time and namespaces while it runs', () => {
    expect(startTime('/proc', process.pid)).toMatch(/^\d+$/);
    expect(namespaceOf('/proc', 'self', 'mnt')).toMatch(/^mnt:\[\d+\]$/);
  });

  it('has neither after it has ended', () => {
    expect(startTime('/proc', 2 ** 22 + 1)).toBeUndefined();
    expect(namespaceOf('/proc', 2 ** 22 + 1, 'user')).toBeUndefined();
  });
});
