import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributeChange, remountFlags, wantedOptions } from './attributes.ts';
import { MOUNT_ATTR_RDONLY, MS_NOSUID, MS_RDONLY, MS_RELATIME, MS_STRICTATIME } from './syscalls.ts';

const options = fc.subarray([
  'rw',
  'ro',
  'nosuid',
  'nodev',
  'noexec',
  'nosymfollow',
  'noatime',
  'nodiratime',
  'relatime',
]);

describe('attributes', () => {
  it('are read-only whenever that is asked for', () => {
    fc.assert(
      fc.property(options, options, (wanted, present) => {
        const all = wantedOptions(wanted, true);
        expect(attributeChange(all).set & MOUNT_ATTR_RDONLY).toBe(MOUNT_ATTR_RDONLY);
        expect(remountFlags(all, present) & MS_RDONLY).toBe(MS_RDONLY);
      }),
    );
  });

  it('never lift a restriction', () => {
    fc.assert(
      fc.property(options, options, (wanted, present) => {
        const { clear } = attributeChange(wanted);
        // Access times and directories' access times only.
        expect(clear & ~0xf0).toBe(0);
        expect(remountFlags(wanted, [...present, 'nosuid']) & MS_NOSUID).toBe(MS_NOSUID);
      }),
    );
  });

  it('sets nothing that must be cleared', () => {
    fc.assert(
      fc.property(options, (wanted) => {
        const { set } = attributeChange(wanted);
        // NOATIME and STRICTATIME exclude each other.
        expect(set & 0x30).not.toBe(0x30);
      }),
    );
  });

  it('take a mount without a word on access times for strictatime', () => {
    expect(remountFlags(['rw'], [])).toBe(MS_STRICTATIME);
    expect(remountFlags(['rw', 'relatime'], [])).toBe(MS_RELATIME);
  });

  it('make a mount private, and map its users only where told', () => {
    expect(attributeChange(['ro'])).toMatchObject({ private: true, recursive: false });
    expect(attributeChange(['ro'])).not.toHaveProperty('userNamespace');
    expect(attributeChange(['ro'], 7)).toMatchObject({ userNamespace: 7 });
  });
});
