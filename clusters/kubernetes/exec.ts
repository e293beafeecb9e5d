import { constants } from 'node:os';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import type { ContainerRef } from '../cluster.ts';

export interface ExecOptions {
  readonly kubeConfig: KubeConfig;
  readonly target: ContainerRef;
  readonly command: readonly string[];
}

type Exit = { readonly exitCode: number | null; readonly signal: string | null };

/** A program that the API server lets run in a container, as `kubectl exec` does. */
export interface RunningExec {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Both null where the connection ended before the program did. */
  readonly exited: Promise<Exit>;
  /** Ends the connection; what runs in the container goes on until it reads or writes. */
  close(): void;
}

/** @throws where the container cannot be entered, in one sentence */
export async function startExec({ kubeConfig, target, command }: ExecOptions): Promise<RunningExec> {
  const { namespace, pod, container } = target;
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const exited = Promise.withResolvers<Exit>();
  const { stdin, stdout, stderr } = streams;
  const socket = await new Exec(kubeConfig)
    .exec(namespace, pod, container, [...command], stdout, stderr, stdin, false, (status) => {
      const exit = exitOf(status);
      if (typeof exit === 'string') exited.reject(new Error(`${pod}/${container}: ${exit}`));
      else exited.resolve(exit);
    })
    .catch((error: { readonly message?: string }) => {
      throw new Error(`${namespace}/${pod}/${container} cannot be entered: ${error.message ?? String(error)}`);
    });
  exited.promise.catch(() => {}); // Who waits for the end hears of it.
  socket.onerror = () => {};
  socket.onclose = () => {
    stdout.end();
    stderr.end();
    exited.resolve({ exitCode: null, signal: null });
  };
  return { ...streams, exited: exited.promise, close: () => socket.close() };
}

/** What the kubelet says of a program's end: its status, 128 and more for a signal; a sentence where it did not run. */
export function exitOf({ status, details, message, reason }: V1Status): Exit | string {
  if (status === 'Success') return { exitCode: 0, signal: null };
  const code = Number(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? Number.NaN);
  if (!Number.isInteger(code)) return message ?? reason ?? 'it failed for an unknown reason';
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal === undefined ? { exitCode: code, signal: null } : { exitCode: null, signal };
}
