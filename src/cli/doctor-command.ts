import type { Command } from 'commander';
import { colourFor } from '../colour.ts';
import { assess, assessStore, missingOf } from '../doctor/assess.ts';
import { gather } from '../doctor/gather.ts';
import { gatherStore } from '../doctor/gather-store.ts';
import { table } from '../doctor/table.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** MinIO's image, as `@testcontainers/minio` would start it. */
const image = 'minio/minio';

/** `rekindle doctor`. */
export function addDoctor(program: Command, { environment }: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('doctor')
    .description('say what this machine can run, with a remedy for each missing thing')
    .action(async () => {
      const { env, stdout } = environment;
      const [facts, stores] = await Promise.all([
        gather({ env, temporary: temporaryFolder(env) }),
        gatherStore({ env, image }),
      ]);
      const findings = [...assess(facts), assessStore(stores)];
      const missing = missingOf(findings);
      const verdict =
        missing.length === 0 ? 'This machine can run the sandbox.' : 'This machine cannot run the sandbox yet.';
      stdout.write(`${table(findings, colourFor(stdout, env))}\n${verdict}\n`);
      ends(missing.length === 0 ? exitStatus.conformant : exitStatus.cannotRun);
    });
}
