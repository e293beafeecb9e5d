import { createRequire } from 'node:module';

/** Started by `gather` in a separate process. Exits with status 0 if the native library named by the argument loads. */
const require = createRequire(import.meta.url);

try {
  const koffi = require('koffi') as typeof import('koffi');
  if (process.argv[2] === 'fuse-native') {
    // The prebuilt fuse-native has no run path: the library that its dependency ships must be loaded first.
    koffi.load((require('fuse-shared-library') as { lib: string }).lib);
    require('fuse-native');
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message.split('\n')[0] : error}\n`);
  process.exitCode = 1;
}
