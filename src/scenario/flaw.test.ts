import { describe, expect, it } from 'vitest';
import { nameOfField, parseFlaw, spoil, told } from './flaw.ts';

const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers: [{ image: 'nginx' }] } };

describe('a flaw', () => {
  it.each([
    ['a text', 'NVME', 'NVME'],
    ['JSON', '[]', []],
    ['so many characters', '(3 characters)', 'aaa'],
    ['nothing', '(missing)', undefined],
  ])('is %s instead of what stands there', (_, value, expected) => {
    expect(parseFlaw({ kind: 'Pod', field: 'spec / containers / 0 / image', value }).value).toEqual(expected);
  });

  it('is called as the refusal has to call it', () => {
    expect(nameOfField(['spec', 'mounts', '0', 'options', 'fs.oss.endpoint'])).toBe(
      'spec.mounts[0].options.fs.oss.endpoint',
    );
    expect(told({ kind: 'Pod', path: [], value: undefined })).toBe('(missing)');
  });

  it('is put into a copy', () => {
    const flaw = { kind: 'Pod', path: ['spec', 'containers', '0', 'image'], value: undefined };
    expect(spoil(manifest, flaw)).toMatchObject({ spec: { containers: [{}] } });
    expect(JSON.stringify(spoil(manifest, flaw))).not.toContain('nginx');
    expect(JSON.stringify(manifest)).toContain('nginx');
    expect(() => spoil(manifest, { ...flaw, path: ['status', 'x'] })).toThrow('nothing at status.x');
  });
});
