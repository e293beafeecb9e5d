import { describe, expect, it } from 'vitest';
import { formatFieldPath, formatFlawValue, insertFlaw, parseFlaw } from './flaw.ts';

const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers: [{ image: 'nginx' }] } };

describe('a flaw', () => {
  it.each([
    ['a text', 'NVME', 'NVME'],
    ['JSON', '[]', []],
    ['a text of a given length', '(3 characters)', 'aaa'],
    ['a missing field', '(missing)', undefined],
  ])('can be %s', (_, value, expected) => {
    expect(parseFlaw({ kind: 'Pod', field: 'spec / containers / 0 / image', value }).value).toEqual(expected);
  });

  it('is formatted as a refusal spells it', () => {
    expect(formatFieldPath(['spec', 'mounts', '0', 'options', 'fs.oss.endpoint'])).toBe(
      'spec.mounts[0].options.fs.oss.endpoint',
    );
    expect(formatFlawValue({ kind: 'Pod', path: [], value: undefined })).toBe('(missing)');
  });

  it('is inserted into a copy', () => {
    const flaw = { kind: 'Pod', path: ['spec', 'containers', '0', 'image'], value: undefined };
    expect(insertFlaw(manifest, flaw)).toMatchObject({ spec: { containers: [{}] } });
    expect(JSON.stringify(insertFlaw(manifest, flaw))).not.toContain('nginx');
    expect(JSON.stringify(manifest)).toContain('nginx');
    expect(() => insertFlaw(manifest, { ...flaw, path: ['status', 'x'] })).toThrow('has no status.x');
  });
});
