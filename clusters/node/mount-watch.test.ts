import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const module = fileURLToPath(new URL('./mount-watch.ts', import.meta.url));

it.each([
  ['exits', 'process.exit(7)', 7],
  ['has an uncaught exception', "throw new Error('uncaught')", 1],
])('does not keep a process that %s, although no mount table changes', async (_, end, exitCode) => {
  const script = `
    import { MountWatch } from ${JSON.stringify(module)};
    new MountWatch(() => {}).watch('self', 'node');
    setTimeout(() => { ${end}; }, 200);`;
  const ended = await execa(process.execPath, ['--input-type=module', '--eval', script], {
    reject: false,
    timeout: 15_000,
    killSignal: 'SIGKILL',
  });
  expect(ended).toMatchObject({ exitCode, timedOut: false });
});
