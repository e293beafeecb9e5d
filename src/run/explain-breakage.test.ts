import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadProfile, parseProfile } from '../profiles/load-profile.ts';
import { explainBreakage } from './explain-breakage.ts';

const read = (file: string) => readFileSync(new URL(`../../fakes/csi-drivers/${file}`, import.meta.url), 'utf8');

it('names what is created and killed of a driver, and that nothing else is touched', () => {
  const sentences = explainBreakage(parseProfile(read('volume-pods.yaml'), 'x.yaml'), 'staging');
  expect(sentences).toEqual([
    'In staging, this run creates namespaces of its own, an object store and a program on each node, and deletes them afterwards.',
    'It creates Secret, StorageClass, PersistentVolumeClaim for each volume of volume-pods.csi.rekindle.dev, and deletes them.',
    'It kills container fuse of pods volume={volume} in volume-pods, for volumes that it creates itself.',
    'It kills pods of DaemonSet csi-drivers/volume-pods, which serve other volumes, too.',
    'It changes no object that is there.',
  ]);
});

it('names processes by their command line, and the commands of the profile', () => {
  const commands = 'commands: { before: [[kubectl, apply, -f, x.yaml]], after: [[./remove.sh]] }\n';
  const sentences = explainBreakage(parseProfile(`${read('children.yaml')}${commands}`, 'x.yaml'), 'staging');
  expect(sentences.slice(-2)).toEqual([
    'It runs on this machine: kubectl apply -f x.yaml',
    'It runs on this machine: ./remove.sh',
  ]);
  expect(sentences[2]).toContain('processes of the node plugin like ^s3fs .*/pods/{pod}/volumes/');
});

it('names the gate that is turned on and off', async () => {
  expect(explainBreakage(await loadProfile('fluid', '/'), 'staging').at(-1)).toBe(
    'It turns the gate FuseRecovery on and off among the arguments of the container plugins, and restores them.',
  );
  expect(explainBreakage(undefined, 'staging').at(-1)).toBe('No other Fluid may be installed there.');
});
