import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{clusters,docs,fakes,house,mutants,packaging,recovery,reports,src}/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
  },
});
