/** `node sub-path-main.ts VOLUME SUBPATH TARGET`: binds a subPath; one sentence and status 1 where it cannot. */
import { loadSyscalls } from '../../recovery/linux/load-syscalls.ts';
import { bindBeneath } from './bind-beneath.ts';

let refusal: string | undefined;
try {
  const [volume = '', subPath = '', target = ''] = process.argv.slice(2);
  refusal = bindBeneath(loadSyscalls(), { volume, subPath, target });
} catch (error) {
  refusal = error instanceof Error ? error.message : String(error);
}
if (refusal !== undefined) {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
}
