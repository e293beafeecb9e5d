import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatErrors } from './fields.ts';
import { behaviourAnnotation } from './names.ts';
import { demoDataset } from './testing/documented-manifests.ts';
import type { SecretKeys } from './validate-dataset.ts';
import { validateDataset } from './validate-dataset.ts';

const secretKeys: SecretKeys = new Map([['mysecret', new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret'])]]);
const [mount] = demoDataset.spec.mounts;
const [id, key] = mount.encryptOptions;

const fields = (spec: unknown, metadata: object = {}, known = secretKeys): readonly string[] => {
  const validation = validateDataset({ metadata: { ...demoDataset.metadata, ...metadata }, spec }, known);
  return validation.ok ? [] : validation.errors.map(({ field }) => field);
};
const withMount = (change: object): unknown => ({ mounts: [{ ...mount, ...change }] });

describe('a Dataset', () => {
  it('yields bucket, directory, endpoint and the Secret of each credential', () => {
    expect(validateDataset(demoDataset, secretKeys)).toEqual({
      ok: true,
      value: {
        bucket: 'demo-bucket',
        prefix: 'demo/dir',
        endpoint: 'http://127.0.0.1:9000',
        credentials: {
          accessKeyId: { secret: 'mysecret', key: 'fs.oss.accessKeyId' },
          accessKeySecret: { secret: 'mysecret', key: 'fs.oss.accessKeySecret' },
        },
        accessModes: ['ReadOnlyMany'],
        capacity: '100Pi',
        standbys: 0,
        takeover: false,
        behaviour: undefined,
      },
    });
  });

  it.each([
    ['oss://bucket', 'bucket', ''],
    ['oss://bucket/', 'bucket', ''],
    ['oss://bucket//a//b/', 'bucket', 'a/b'],
    ['s3://bucket/a b/ü', 'bucket', 'a b/ü'],
  ])('mounted from %s is bucket %s, directory "%s"', (mountPoint, bucket, prefix) => {
    const validation = validateDataset({ ...demoDataset, spec: withMount({ mountPoint }) }, secretKeys);
    expect(validation).toMatchObject({ ok: true, value: { bucket, prefix } });
  });

  const at = 'spec.mounts[0]';
  it.each<[string, unknown, string]>([
    ['no spec', undefined, 'spec'],
    ['a spec that is a list', [], 'spec'],
    ['no mounts', {}, 'spec.mounts'],
    ['mounts that are not a list', { mounts: 'oss://b' }, 'spec.mounts'],
    ['no mount', { mounts: [] }, 'spec.mounts'],
    ['two mounts', { mounts: [mount, mount] }, 'spec.mounts'],
    ['a mount that is null', { mounts: [null] }, at],
    ['no mountPoint', withMount({ mountPoint: undefined }), `${at}.mountPoint`],
    ['a mountPoint that is a number', withMount({ mountPoint: 5 }), `${at}.mountPoint`],
    ['another scheme', withMount({ mountPoint: 'https://bucket/dir' }), `${at}.mountPoint`],
    ['no bucket', withMount({ mountPoint: 'oss:///dir' }), `${at}.mountPoint`],
    ['a bucket in capitals', withMount({ mountPoint: 'oss://Bucket/dir' }), `${at}.mountPoint`],
    [
      'the endpoint in the mountPoint',
      withMount({ mountPoint: 'oss://bucket.oss-cn-hangzhou.aliyuncs.com/dir' }),
      `${at}.mountPoint`,
    ],
    ['a port in the mountPoint', withMount({ mountPoint: 'oss://bucket:9000/dir' }), `${at}.mountPoint`],
    ['a directory that leads upwards', withMount({ mountPoint: 'oss://bucket/a/../../b' }), `${at}.mountPoint`],
    ['a line break in the directory', withMount({ mountPoint: 'oss://bucket/a\nb' }), `${at}.mountPoint`],
    ['no options', withMount({ options: undefined }), `${at}.options.fs.oss.endpoint`],
    ['no endpoint', withMount({ options: {} }), `${at}.options.fs.oss.endpoint`],
    ['an empty endpoint', withMount({ options: { 'fs.oss.endpoint': ' ' } }), `${at}.options.fs.oss.endpoint`],
    [
      'an endpoint with a path',
      withMount({ options: { 'fs.oss.endpoint': 'http://h/p' } }),
      `${at}.options.fs.oss.endpoint`,
    ],
    ['an endpoint with a space', withMount({ options: { 'fs.oss.endpoint': 'a b' } }), `${at}.options.fs.oss.endpoint`],
    ['an option that is a number', withMount({ options: { 'fs.oss.endpoint': 1 } }), `${at}.options.fs.oss.endpoint`],
    [
      'a key in the clear',
      withMount({ options: { ...mount.options, 'fs.oss.accessKeySecret': 'x' } }),
      `${at}.options.fs.oss.accessKeySecret`,
    ],
    ['no encryptOptions', withMount({ encryptOptions: undefined }), `${at}.encryptOptions`],
    ['one credential', withMount({ encryptOptions: [id] }), `${at}.encryptOptions`],
    ['a credential twice', withMount({ encryptOptions: [id, id, key] }), `${at}.encryptOptions`],
    [
      'a credential without a secret',
      withMount({ encryptOptions: [{ name: id.name }, key] }),
      `${at}.encryptOptions[0].valueFrom`,
    ],
    [
      'a Secret that does not exist',
      withMount({ encryptOptions: [{ ...id, valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }, key] }),
      `${at}.encryptOptions[0].valueFrom.secretKeyRef.name`,
    ],
    [
      'a key that the Secret does not have',
      withMount({ encryptOptions: [id, { ...key, valueFrom: { secretKeyRef: { name: 'mysecret', key: 'k' } } }] }),
      `${at}.encryptOptions[1].valueFrom.secretKeyRef.key`,
    ],
    ['an unknown access mode', { mounts: [mount], accessModes: ['ReadWriteSometimes'] }, 'spec.accessModes[0]'],
    ['access modes that are not a list', { mounts: [mount], accessModes: 'ReadOnlyMany' }, 'spec.accessModes'],
  ])('with %s is refused, naming the field', (_what, spec, field) => {
    expect(fields(spec)).toContain(field);
  });

  it.each<[string, object, string]>([
    ['begins with a digit', { name: '1a' }, 'metadata.name'],
    ['has a dot', { name: 'a.b' }, 'metadata.name'],
    ['has 64 characters', { name: 'a'.repeat(64) }, 'metadata.name'],
    ['is missing', { name: undefined }, 'metadata.name'],
  ])('whose name %s is refused', (_what, metadata, field) => {
    expect(fields(demoDataset.spec, metadata)).toContain(field);
  });

  it('keeps the behaviour annotation unchanged, even 64 KB of it, and refuses one that is not JSON', () => {
    const behaviour = JSON.stringify({ slow: 'x'.repeat(64 * 1024) });
    const annotations = { [behaviourAnnotation]: behaviour };
    const validation = validateDataset(
      { ...demoDataset, metadata: { ...demoDataset.metadata, annotations } },
      secretKeys,
    );
    expect(validation).toMatchObject({ ok: true, value: { behaviour } });
    const broken = { annotations: { [behaviourAnnotation]: behaviour.slice(0, -1) } };
    expect(fields(demoDataset.spec, broken)).toEqual([`metadata.annotations.${behaviourAnnotation}`]);
  });

  it('reports all errors at once, in a message that fits into an event', () => {
    const found = fields(withMount({ mountPoint: 'oss://b.c/d', options: {}, encryptOptions: [] }), { name: 'A' });
    expect(found).toEqual([
      'metadata.name',
      `${at}.mountPoint`,
      `${at}.options.fs.oss.endpoint`,
      `${at}.encryptOptions`,
      `${at}.encryptOptions`,
    ]);
    expect(formatErrors(Array(100).fill({ field: 'spec', message: 'x'.repeat(100) }))).toHaveLength(1024);
  });

  it('never makes validation throw, whatever its shape', () => {
    const shaped = fc.oneof(
      fc.jsonValue(),
      fc.record({ mounts: fc.jsonValue(), accessModes: fc.jsonValue() }),
      fc.record({
        mounts: fc.array(
          fc.record({
            mountPoint: fc.oneof(fc.jsonValue(), fc.string()),
            options: fc.oneof(fc.jsonValue(), fc.dictionary(fc.constant('fs.oss.endpoint'), fc.string())),
            encryptOptions: fc.array(fc.oneof(fc.jsonValue(), fc.constant(id), fc.constant(key))),
          }),
        ),
      }),
    );
    fc.assert(
      fc.property(shaped, (spec) => {
        const validation = validateDataset({ ...demoDataset, spec }, secretKeys);
        return validation.ok || validation.errors.length > 0;
      }),
    );
  });
});
