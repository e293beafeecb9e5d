/** `node sub-path-main.ts VOLUME SUBPATH TARGET`: binds a subPath; prints the reason and exits with 1 if it fails. */
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
