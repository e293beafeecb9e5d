import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demoRuntime } from './testing/documented-manifests.ts';
import { validateRuntime } from './validate-runtime.ts';

const [level] = demoRuntime.spec.tieredstore.levels;
const withLevel = (change: object): unknown => ({ tieredstore: { levels: [{ ...level, ...change }] } });
const errors = (spec: unknown) => {
  const validation = validateRuntime({ spec });
  return validation.ok ? [] : validation.errors;
};

describe('a JindoRuntime', () => {
  it("has two workers in the document's manifest", () => {
    expect(validateRuntime(demoRuntime)).toEqual({ ok: true, value: { replicas: 2 } });
  });

  it.each([
    ['no spec', undefined],
    ['no tiered store', {}],
    ['only the required fields of a level', { tieredstore: { levels: [{ mediumtype: 'SSD', path: '/mnt' }] } }],
    ['a quota in plain bytes', withLevel({ quota: 1024 })],
    ['the same share for high and low', withLevel({ high: '0.8', low: '0.8' })],
    ['a share of one', withLevel({ high: '1.0', low: '0' })],
  ])('with %s is accepted', (_what, spec) => {
    expect(errors(spec)).toEqual([]);
  });

  const at = 'spec.tieredstore.levels[0]';
  it.each<[string, unknown, string]>([
    ['a spec that is text', 'x', 'spec'],
    ['replicas below zero', { replicas: -1 }, 'spec.replicas'],
    ['half a replica', { replicas: 1.5 }, 'spec.replicas'],
    ['replicas in quotes', { replicas: '2' }, 'spec.replicas'],
    ['a billion replicas', { replicas: 1e9 }, 'spec.replicas'],
    ['a tiered store that is a list', { tieredstore: [] }, 'spec.tieredstore'],
    ['a tiered store without levels', { tieredstore: {} }, 'spec.tieredstore.levels'],
    ['a level that is null', { tieredstore: { levels: [null] } }, at],
    ['no mediumtype', withLevel({ mediumtype: undefined }), `${at}.mediumtype`],
    ['another mediumtype', withLevel({ mediumtype: 'NVME' }), `${at}.mediumtype`],
    ['a mediumtype in lower case', withLevel({ mediumtype: 'mem' }), `${at}.mediumtype`],
    ['two kinds in one mediumtype', withLevel({ mediumtype: 'MEM,SSD' }), `${at}.mediumtype`],
    ['no path', withLevel({ path: undefined }), `${at}.path`],
    ['an empty path', withLevel({ path: '' }), `${at}.path`],
    ['two paths', withLevel({ path: '/a,/b' }), `${at}.path`],
    ['a list of paths', withLevel({ path: ['/a', '/b'] }), `${at}.path`],
    ['a relative path', withLevel({ path: 'a' }), `${at}.path`],
    ['another volumeType', withLevel({ volumeType: 'nfs' }), `${at}.volumeType`],
    ['a quota with a unit that Kubernetes does not know', withLevel({ quota: '2GB' }), `${at}.quota`],
    ['a quota of zero', withLevel({ quota: '0' }), `${at}.quota`],
    ['a quota below zero', withLevel({ quota: '-1Gi' }), `${at}.quota`],
    ['a quota that is a list', withLevel({ quota: [] }), `${at}.quota`],
    ['high without quotes', withLevel({ high: 0.99 }), `${at}.high`],
    ['high above one', withLevel({ high: '1.5' }), `${at}.high`],
    ['low in percent', withLevel({ low: '95%' }), `${at}.low`],
    ['low above high', withLevel({ high: '0.5', low: '0.6' }), `${at}.low`],
    [
      'two kinds of cache',
      { tieredstore: { levels: [level, { mediumtype: 'SSD', path: '/mnt' }] } },
      'spec.tieredstore.levels[1].mediumtype',
    ],
    ['two levels of one kind', { tieredstore: { levels: [level, level] } }, 'spec.tieredstore.levels[1].path'],
  ])('with %s is refused, naming the field', (_what, spec, field) => {
    expect(errors(spec).map((error) => error.field)).toEqual([field]);
  });

  it('lists the valid values if mediumtype is wrong', () => {
    expect(errors(withLevel({ mediumtype: 'NVME' }))[0]?.message).toBe('must be one of HDD, SSD, MEM, not "NVME"');
  });

  it('never makes validation throw, whatever its shape', () => {
    const shaped = fc.oneof(
      fc.jsonValue(),
      fc.record({ replicas: fc.jsonValue(), tieredstore: fc.record({ levels: fc.array(fc.jsonValue()) }) }),
      fc.record({
        tieredstore: fc.record({
          levels: fc.array(
            fc.record({
              mediumtype: fc.string(),
              path: fc.string(),
              quota: fc.jsonValue(),
              high: fc.string(),
              low: fc.string(),
            }),
          ),
        }),
      }),
    );
    fc.assert(
      fc.property(shaped, (spec) => {
        const validation = validateRuntime({ spec });
        return validation.ok || validation.errors.length > 0;
      }),
    );
  });
});
