import { type Fault, now, over } from './fault.ts';

/** The documented crash: SIGTERM to process 1 from inside, which works because the daemon handles it. */
export const kill1: Fault = {
  name: 'kill-1',
  title: '`kill 1` inside the FUSE container, as documented (SIGTERM, which the daemon handles)',
  claims: ['C2', 'C3'],
  expected: 'the pod sees errors, then its files, and is not restarted, whether the daemon unmounts or not',
  isCrash: true,
  async inject({ cluster, daemon }) {
    // Before: where an API server is in between, the answer comes long after the signal.
    const at = now();
    const { exitCode, stderr } = await cluster.exec(daemon, ['bash', '-c', 'kill 1']);
    // The shell may be taken along by the end of process 1 before it can say that it succeeded.
    if (exitCode !== 0 && exitCode !== null) throw new Error(`kill 1 in ${daemon.pod} failed: ${stderr.trim()}`);
    return over(at);
  },
};
