import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{clusters,docs,fakes,house,mutants,packaging,recovery,reports,src}/**/*.test.ts'],
    pool: 'forks',
    // Many tests wait for processes: more of them than processors keep those busy.
    maxWorkers: 3,
    testTimeout: 30_000,
  },
});
