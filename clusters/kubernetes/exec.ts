import { constants } from 'node:os';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import type { ContainerRef, ExecResult } from '../cluster.ts';

export interface ExecOptions {
  readonly kubeConfig: KubeConfig;
  readonly target: ContainerRef;
  readonly command: readonly string[];
}

type ExecExit = Pick<ExecResult, 'exitCode' | 'signal'>;

/** A program that the API server runs in a container, as `kubectl exec` does. */
export interface RunningExec {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Both fields are null if the connection ended before the program did. */
  readonly exited: Promise<ExecExit>;
  /** Ends the connection. The program continues until it reads or writes. */
  close(): void;
}

/** @throws if the container cannot be entered */
export async function startExec({ kubeConfig, target, command }: ExecOptions): Promise<RunningExec> {
  const { namespace, pod, container } = target;
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const exited = Promise.withResolvers<ExecExit>();
  const { stdin, stdout, stderr } = streams;
  const socket = await new Exec(kubeConfig)
    .exec(namespace, pod, container, [...command], stdout, stderr, stdin, false, (status) => {
      const exit = parseStatus(status);
      if (typeof exit === 'string') exited.reject(new Error(`${pod}/${container}: ${exit}`));
      else exited.resolve(exit);
    })
    .catch((error: { readonly message?: string }) => {
      throw new Error(`${namespace}/${pod}/${container} cannot be entered: ${error.message ?? String(error)}`);
    });
  exited.promise.catch(() => {}); // Reported to callers that await it.
  socket.onerror = () => {};
  socket.onclose = () => {
    stdout.end();
    stderr.end();
    exited.resolve({ exitCode: null, signal: null });
  };
  return { ...streams, exited: exited.promise, close: () => socket.close() };
}

/** Runs a command in a container until it ends or the timeout expires. */
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

/** The kubelet reports a signal as exit status 128 + number. Returns a message if the program did not run. */
function parseStatus({ status, details, message, reason }: V1Status): ExecExit | string {
  if (status === 'Success') return { exitCode: 0, signal: null };
  const code = Number(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? Number.NaN);
  if (!Number.isInteger(code)) return message ?? reason ?? 'it failed for an unknown reason';
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal === undefined ? { exitCode: code, signal: null } : { exitCode: null, signal };
}
