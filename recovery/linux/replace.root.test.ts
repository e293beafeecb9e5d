import { describe, expect, it } from 'vitest';
import { isRoot, needsKernel, needsRoot, runScenario, type ScenarioRun } from './fixtures/private-namespace.ts';

const replace = (name: string, run?: ScenarioRun) => runScenario<Record<string, unknown>>('replace', name, run);

// Calls of the fixtures, whatever the tier of the agent.
const placesBeneath = needsKernel('6.5');
const mapsUsers = needsKernel('6.12');

const readOnly = { options: ['ro', 'nosuid', 'nodev', 'relatime'], text: 'source' };

describe.skipIf(!isRoot)(`replaceAll${needsRoot}`, () => {
  const tiers = [
    { tier: '6.5', layers: '1>1', again: ['1>1'], depth: 1 },
    { tier: '5.12', layers: '1>2', again: ['1>2', '2>2'], depth: 2 },
    { tier: '5.10', layers: '1>2', again: ['1>2', '2>2'], depth: 2 },
  ] as const;
  for (const { tier, layers, again, depth } of tiers)
    describe.skipIf(needsKernel(tier) !== '')(`on tier ${tier}${needsKernel(tier)}`, () => {
      it('shows the source at the target path and in the container, read-only', async () => {
        expect(await replace('once', { tier })).toEqual({
          outcome: [layers, layers],
          grown: [depth - 1, depth - 1],
          target: readOnly,
          data: readOnly,
          isSource: true,
        });
      });

      it('does not grow the mount tables in 100 crashes', async () => {
        expect(await replace('hundred', { tier })).toEqual({
          outcomes: again,
          depth: [depth, depth],
          grown: [depth - 1, depth - 1],
        });
      });

      it('is never writable, neither on the node nor in the container', async () => {
        const { outcomes, counts } = await replace('writers', { tier });
        expect(outcomes).toEqual(again);
        for (const count of counts as readonly Record<string, number>[]) {
          expect(count).toEqual({ EROFS: expect.any(Number), ENOTCONN: expect.any(Number) });
        }
      });

      it('does not touch a container without a replacement of its own', async () => {
        expect(await replace('targetOnly', { tier })).toEqual({ outcome: [layers], stillDead: true });
      });

      it('carries inner mounts over with their contents, depth and peer group', async () => {
        expect(await replace('inner', { tier })).toMatchObject({
          outcome: [layers],
          file: 'source',
          inner: 'inner\n',
          deep: 'deep\n',
          sameGroup: true,
        });
      });

      it('carries them over repeatedly without growth of the table', async () => {
        const lines = depth * 3;
        const later = again.at(-1);
        expect(await replace('innerAgainAndAgain', { tier })).toEqual([
          [layers, '1', 'deep\n', lines],
          [later, '2', 'deep\n', lines],
          [later, '3', 'deep\n', lines],
          [later, '4', 'deep\n', lines],
        ]);
      });

      it('clones an inner mount from elsewhere if its path is no longer cached', async () => {
        expect(await replace('innerElsewhere', { tier })).toMatchObject({
          outcome: [layers],
          file: 'source',
          inner: 'inner\n',
        });
      });

      it('carries an inner mount into a replacement whose daemon answers each look-up late', async () => {
        expect(await replace('innerLate', { tier })).toMatchObject({
          outcome: [layers],
          file: 'source',
          inner: 'inner\n',
          deep: 'deep\n',
        });
      });

      it.each([
        ['innerExpired', 'inner-mounts EAGAIN'],
        ['innerDirectoryMissing', 'inner-mounts ENOENT'],
      ])('changes nothing where an inner mount cannot be kept: %s', async (name, outcome) => {
        expect(await replace(name, { tier })).toMatchObject({ outcome: [outcome], unchanged: true });
      });

      it.skipIf(placesBeneath !== '')(
        `changes nothing if the stack differs from the snapshot${placesBeneath}`,
        async () => {
          expect(await replace('stale', { tier })).toEqual({
            outcome: [...Array(4).fill('check-stack ESTALE'), layers],
            unchanged: true,
          });
        },
      );

      it('stacks on a locked mount, once', async () => {
        expect(await replace('locked', { tier })).toEqual({
          outcome: ['1>2', '2>2', '2>2', '2>2'],
          depths: [1, 2, 2, 2],
          isLast: true,
        });
      });

      it('keeps the attributes of the mount that it replaces', async () => {
        expect(await replace('attributes', { tier })).toEqual({
          target: ['ro', 'nosuid', 'nodev', 'noexec', 'noatime'],
          writable: ['rw', 'nosuid', 'nodev', 'relatime'],
        });
      });

      it.skipIf(placesBeneath !== '')(`finishes a half-done replacement${placesBeneath}`, async () => {
        expect(await replace('halfDone', { tier })).toEqual({
          before: ['tmpfs', 'fuse.fixture'],
          outcome: ['2>1'],
          after: ['tmpfs'],
          text: 'source',
        });
      });

      it('replaces what an agent left beneath the top when it died, if its daemon has died as well', async () => {
        expect(await replace('leftover', { tier })).toEqual({
          outcome: [tier === '6.5' ? '2>1' : '2>2'],
          after: tier === '6.5' ? ['tmpfs'] : ['fuse.fixture', 'tmpfs'],
          text: 'source',
        });
      });

      it('does nothing to a stack that is not half done', async () => {
        expect(await replace('finishOfSomethingElse', { tier })).toEqual({ outcome: ['check-stack ESTALE'], depth: 2 });
      });

      it.skipIf(placesBeneath !== '')(
        `carries over inner mounts that a half-done replacement lacks${placesBeneath}`,
        async () => {
          expect(await replace('halfDoneWithoutInner', { tier })).toMatchObject({ text: 'source', kept: 'kept' });
        },
      );

      it('does not lose a mount that appeared inside since the snapshot', async () => {
        expect(await replace('innerAppeared', { tier })).toEqual({ outcome: ['check-stack ESTALE'], depth: 1 });
      });

      it('clones only a mount of the same device and an existing directory', async () => {
        expect(await replace('sourceChanged', { tier })).toEqual([
          'clone-source ESTALE',
          'clone-source ESTALE',
          'clone-source ENOENT',
          layers,
        ]);
      });

      it('replaces the others if one process has ended', async () => {
        expect(await replace('goneProcess', { tier })).toEqual(['enter ENOENT', layers]);
      });

      it('enters no other process that has the pid of one that has ended', async () => {
        expect(await replace('reusedPid', { tier })).toEqual(['enter ESTALE', layers]);
      });

      it('does all of that in a user namespace', async () => {
        expect(await replace('once', { tier, rootless: true })).toMatchObject({
          outcome: [layers, layers],
          data: readOnly,
        });
        expect(await replace('inner', { tier, rootless: true })).toMatchObject({ inner: 'inner\n', deep: 'deep\n' });
        expect(await replace('locked', { tier, rootless: true })).toMatchObject({ depths: [1, 2, 2, 2], isLast: true });
      });
    });

  it.skipIf(mapsUsers !== '').each([
    ['6.5', '1>1'],
    ['5.12', '1>2'],
  ] as const)(`maps the users of a mount as the replaced one did, on tier %s${mapsUsers}`, async (tier, layers) => {
    expect(await replace('idmapped', { tier })).toEqual({
      refused: ['idmap EINVAL'],
      unchanged: true,
      outcome: [layers],
      isAble: true,
      options: ['ro', 'nosuid', 'nodev', 'relatime', 'idmapped'],
      mapped: 'ok',
      unmapped: 'read-open-file EACCES',
    });
  });

  it.skipIf(mapsUsers !== '')(
    `refuses an idmapped mount on tier 5.10, which cannot map users${mapsUsers}`,
    async () => {
      expect(await replace('idmapped', { tier: '5.10' })).toMatchObject({ outcome: ['idmap ENOSYS'], unchanged: true });
    },
  );
});
