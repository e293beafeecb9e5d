import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId, Mount } from '../engine/model.ts';
import { createMountinfoParser, parseMountinfo } from './mountinfo.ts';

function escaped(field: string): string {
  return field.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function rendered(mount: Mount, extra: readonly string[] = []): string {
  const optional = [
    ...(mount.shared === undefined ? [] : [`shared:${mount.shared}`]),
    ...(mount.master === undefined ? [] : [`master:${mount.master}`]),
    ...extra,
  ];
  return [
    mount.id,
    mount.parentId,
    mount.device,
    escaped(mount.root),
    escaped(mount.mountPoint),
    mount.options.join(','),
    ...optional,
    '-',
    mount.fstype,
    escaped(mount.mountSource),
    mount.superOptions.map(escaped).join(','),
  ].join(' ');
}

const id = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const name = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).filter((s) => !/[\0/]/.test(s));
const path = fc.array(name, { maxLength: 5 }).map((names) => `/${names.join('/')}`);
const options = fc.subarray(['rw', 'ro', 'nosuid', 'nodev', 'relatime', 'idmapped'], { minLength: 1 });
const mount: fc.Arbitrary<Mount> = fc
  .record(
    {
      id,
      parentId: id,
      device: fc.tuple(fc.nat(4095), fc.nat(2 ** 20 - 1)).map(([major, minor]) => `${major}:${minor}` as DeviceId),
      root: fc.oneof(
        path,
        path.map((p) => `${p}//deleted`),
      ),
      mountPoint: path,
      options,
      shared: id,
      master: id,
      fstype: fc.constantFrom('ext4', 'fuse', 'fuse.jindofs-fuse', 'tmpfs'),
      mountSource: name,
      superOptions: fc.array(
        name.filter((s) => !s.includes(',')),
        { minLength: 1, maxLength: 4 },
      ),
    },
    {
      requiredKeys: [
        'id',
        'parentId',
        'device',
        'root',
        'mountPoint',
        'options',
        'fstype',
        'mountSource',
        'superOptions',
      ],
    },
  )
  .map((m) => m as Mount);

describe('parseMountinfo', () => {
  it('reads every field of a line', () => {
    const line =
      '317 42 0:57 / /var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/pv/mount ro,nosuid,relatime shared:9 master:3 propagate_from:2 - fuse.jindofs-fuse jindofs ro,user_id=0';
    expect(parseMountinfo(`${line}\n`)).toEqual([
      {
        id: 317,
        parentId: 42,
        device: '0:57',
        root: '/',
        mountPoint: '/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/pv/mount',
        options: ['ro', 'nosuid', 'relatime'],
        shared: 9,
        master: 3,
        fstype: 'fuse.jindofs-fuse',
        mountSource: 'jindofs',
        superOptions: ['ro', 'user_id=0'],
      },
    ]);
  });

  it('returns what the kernel printed', () => {
    fc.assert(
      fc.property(fc.array(mount, { maxLength: 20 }), (mounts) => {
        expect(parseMountinfo(mounts.map((m) => `${rendered(m)}\n`).join(''))).toEqual(mounts);
      }),
    );
  });

  it('ignores unknown optional fields', () => {
    fc.assert(
      fc.property(mount, (m) => {
        expect(parseMountinfo(rendered(m, ['propagate_from:7', 'unbindable', 'tomorrow:1']))).toEqual([m]);
      }),
    );
  });

  it('drops a damaged line and keeps its neighbours', () => {
    fc.assert(
      fc.property(mount, mount, fc.nat(), (before, after, at) => {
        const whole = rendered(before);
        const head = whole.slice(0, at % whole.indexOf(' - '));
        expect(parseMountinfo(`${rendered(before)}\n${head}\n${rendered(after)}\n`)).toEqual([before, after]);
      }),
    );
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(Array.isArray(parseMountinfo(text))).toBe(true);
      }),
    );
  });

  it.each([
    ['\\040', ' '],
    ['\\011', '\t'],
    ['\\012', '\n'],
    ['\\134', '\\'],
    ['\\134040', '\\040'],
  ])('resolves %s', (text, character) => {
    expect(parseMountinfo(`1 1 0:1 / /a${text}b rw - tmpfs none rw`)[0]?.mountPoint).toBe(`/a${character}b`);
  });

  it('keeps a source that is empty', () => {
    expect(parseMountinfo('1 1 0:1 / / rw - tmpfs  rw')[0]).toMatchObject({ mountSource: '', superOptions: ['rw'] });
  });

  it('shares the options of 10,000 equal lines', () => {
    const mounts = parseMountinfo('1 1 0:1 / /x rw,nosuid - tmpfs none rw,size=4k\n'.repeat(10_000));
    expect(mounts).toHaveLength(10_000);
    expect(mounts.at(-1)?.options).toBe(mounts[0]?.options);
    expect(mounts.at(-1)?.superOptions).toBe(mounts[0]?.superOptions);
  });
});

describe('createMountinfoParser', () => {
  it('parses each text independently of earlier ones', () => {
    const tables = fc.array(fc.subarray(['a', 'b', 'c', 'no mount', 'd']), { maxLength: 6 });
    const text = (names: readonly string[]) =>
      names.map((one, at) => (one.length === 1 ? `${at} 1 0:1 / /${one} rw - tmpfs none rw` : one)).join('\n');
    fc.assert(
      fc.property(tables, (each) => {
        const parse = createMountinfoParser();
        for (const names of each) expect(parse(text(names))).toEqual(parseMountinfo(text(names)));
      }),
    );
  });

  it('returns the same object for an unchanged line and a new one for a changed line', () => {
    const parse = createMountinfoParser();
    const [one, two] = parse('1 1 0:1 / /one rw - tmpfs none rw\n2 1 0:1 / /two rw - tmpfs none rw\n');
    const [first, second] = parse('1 1 0:1 / /one rw - tmpfs none rw\n2 1 0:1 / /two ro - tmpfs none rw\n');
    expect(first).toBe(one);
    expect(second).not.toBe(two);
    expect(second?.options).toEqual(['ro']);
  });
});
