import { expect, it } from 'vitest';
import { parseProfile } from './load-profile.ts';

const profile = (volume: string) => `version: 2
name: mine
promises: { class: none }
volume: { driver: x.example.com, ${volume} }
process: { host: x }
`;
const parse = (volume: string) => parseProfile(profile(volume), 'x.yaml');
const kinds = (volume: string) => parse(volume).volume?.objects.map(({ kind }) => kind);

it('has a PersistentVolume and its claim for attributes, and a StorageClass and a claim for parameters', () => {
  expect(kinds('attributes: { a: b }')).toEqual(['PersistentVolume', 'PersistentVolumeClaim']);
  expect(kinds('parameters: { a: b }')).toEqual(['StorageClass', 'PersistentVolumeClaim']);
  expect(kinds('attributes: { a: b }, secret: { k: v }')).toEqual([
    'Secret',
    'PersistentVolume',
    'PersistentVolumeClaim',
  ]);
});

it('leads from the claim to the volume, and to the secret', () => {
  const [secret, volume, claim] =
    parse('attributes: { a: b }, secret: { k: v }, accessMode: ReadWriteOnce').volume?.objects ?? [];
  expect(secret).toMatchObject({ metadata: { name: '{name}' }, stringData: { k: 'v' } });
  expect(volume).toMatchObject({
    metadata: { name: '{namespace}-{name}' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      claimRef: { namespace: '{namespace}', name: '{name}' },
      csi: {
        driver: 'x.example.com',
        volumeAttributes: { a: 'b' },
        nodeStageSecretRef: { name: '{name}' },
        nodePublishSecretRef: { name: '{name}' },
      },
    },
  });
  expect(claim).toMatchObject({ metadata: { name: '{name}' }, spec: { volumeName: '{namespace}-{name}' } });
  const [, storageClass, claimOfClass] = parse('parameters: { a: b }, secret: { k: v }').volume?.objects ?? [];
  expect(storageClass).toMatchObject({
    provisioner: 'x.example.com',
    parameters: {
      a: 'b',
      'csi.storage.k8s.io/provisioner-secret-name': '{name}',
      'csi.storage.k8s.io/node-stage-secret-name': '{name}',
      'csi.storage.k8s.io/node-publish-secret-name': '{name}',
    },
  });
  expect(claimOfClass).toMatchObject({ spec: { storageClassName: '{namespace}-{name}' } });
});

it('is the claim in the pod, has no gate, and is named after its profile', () => {
  expect(parse('parameters: {}')).toMatchObject({
    title: 'mine',
    gate: 'none',
    volume: { source: { persistentVolumeClaim: { claimName: '{name}' } } },
    commands: { before: [], after: [] },
  });
});

it.each(['attributes: {}, parameters: {}', 'source: { csi: {} }', 'objects: [], attributes: {}'])(
  'is refused with %s',
  (volume) => {
    expect(() => parse(volume)).toThrow('accepted: exactly one of attributes, parameters, objects');
  },
);

it('is refused with a placeholder that has no value', () => {
  expect(() => parse('attributes: { a: "{oops}" }')).toThrow('and not {oops}');
});
