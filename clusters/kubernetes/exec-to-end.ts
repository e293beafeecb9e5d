import { text } from 'node:stream/consumers';
import type { ExecResult } from '../cluster.ts';
import { type ExecOptions, startExec } from './exec.ts';

/** Runs a command in a container to its end, or until it takes too long. */
export async function execToEnd({
  timeoutMs,
  ...options
}: ExecOptions & { readonly timeoutMs: number }): Promise<ExecResult> {
  const running = await startExec(options);
  const timer = setTimeout(() => running.close(), timeoutMs);
  try {
    const [exit, stdout, stderr] = await Promise.all([running.exited, text(running.stdout), text(running.stderr)]);
    return { ...exit, stdout, stderr };
  } finally {
    clearTimeout(timer);
    running.close();
  }
}
