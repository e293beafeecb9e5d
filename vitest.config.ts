import { defineConfig } from 'vitest/config';

// Tests let other users read what they create, whatever the umask of the user who starts them.
process.umask(0o022);

export default defineConfig({
  test: {
    include: ['{clusters,docs,fakes,house,kernels,mutants,packaging,recovery,reports,src}/**/*.test.ts'],
    pool: 'forks',
    // Vitest leaves one of two processors idle by default, although many tests only wait for processes.
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
