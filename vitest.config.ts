import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{clusters,docs,fakes,house,kernels,mutants,packaging,recovery,reports,src}/**/*.test.ts'],
    pool: 'forks',
    // Vitest leaves one of two processors idle by default, although many tests only wait for processes.
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
