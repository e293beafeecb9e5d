import { defineConfig } from 'vitest/config';

const folders = '{clusters,docs,fakes,house,kernels,mutants,packaging,recovery,reports,src}';
/** Folders whose tests change nothing of their process, so that many files can share one and load each module once. */
const sharing =
  '{docs,fakes/fluid,house,recovery/{agent,engine,kubernetes,webhook},reports,src/{checks,cli,profiles,scenario,self-test,simulate/fleet,status,timeline}}';
const slow = '**/*.e2e.test.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    // Vitest leaves one of two processors idle by default, although many tests only wait for processes.
    maxWorkers: 2,
    // Only ends what hangs: a machine with many times more work than processors is slow, not wrong.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'sharing',
          isolate: false,
          include: [`${sharing}/**/*.test.ts`],
          exclude: [slow, '**/*.root.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: [`${folders}/**/*.test.ts`],
          exclude: [slow, `${sharing}/**/!(*.root).test.ts`],
        },
      },
      { extends: true, test: { name: 'slow', include: [`${folders}/${slow}`] } },
    ],
  },
});
