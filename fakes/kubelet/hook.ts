import type { V1LifecycleHandler } from '@kubernetes/client-node';
import { exitOf, type StartedContainer } from './container.ts';

export interface HookOptions {
  readonly container: StartedContainer;
  readonly handler: V1LifecycleHandler;
  readonly environment: Readonly<Record<string, string>>;
  /** Takes what it says to standard error. */
  readonly log: (chunk: string) => void;
  /** Settles when the hook is not waited for any longer. */
  readonly ended: Promise<unknown>;
}

/** Runs a lifecycle hook in a container that runs; whether it succeeded before the end. */
export async function runHook({ container, handler, environment, log, ended }: HookOptions): Promise<boolean> {
  const { exec } = handler;
  if (!exec?.command) return true;
  try {
    const program = container.exec(exec.command, environment);
    program.stdout.resume();
    program.stderr.setEncoding('utf8').on('data', log);
    const over = ended.then(() => false);
    return await Promise.race([exitOf(program).then(({ exitCode }) => exitCode === 0), over]);
  } catch {
    return false; // The container has ended while it was entered.
  }
}
