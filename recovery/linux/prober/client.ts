import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DeviceId, Failure, Nanoseconds } from '../../engine/model.ts';
import type { ReadRequest, Result } from '../../engine/ports.ts';
import { failed, ok } from '../result.ts';
import type { ProbeAnswer, ProbeRequest } from './protocol.ts';
import { startWorker, type Worker } from './worker.ts';

/** How the prober is started from source; a bundle has a command of its own. Little memory: it holds one line at a time. */
export function defaultProberCommand(): readonly string[] {
  return [
    process.execPath,
    '--max-semi-space-size=1',
    '--max-old-space-size=24',
    '--v8-pool-size=0',
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(new URL('./main.ts', import.meta.url)),
  ];
}

export interface ProberOptions {
  readonly command: readonly string[];
  /** The node's mount namespace as a path, where it is not the own. */
  readonly nodeMountNamespace: string | undefined;
  /** CLOCK_MONOTONIC. */
  readonly now: () => Nanoseconds;
}

export interface Prober extends AsyncDisposable {
  /** Never rejects. ETIMEDOUT: no answer by the deadline, or an earlier read of the same connection is still stuck. */
  read(request: ReadRequest): Promise<Result<DeviceId>>;
}

/** So many reads that hang hold up all others; each is of another connection, and ends at its deadline. */
const mostWorkers = 4;
/** A read that takes longer than this no longer holds up those behind it, in milliseconds. */
const patience = 30;

/** How long the end of killed probers is waited for, in milliseconds; one that hangs ends when its daemon does. */
const graceOfEnd = 200;

interface Waiting {
  readonly request: ReadRequest;
  readonly settle: (result: Result<DeviceId>) => void;
  /** Milliseconds that the read may take. Waiting for other reads of the same connection, which are answered, is no part of it. */
  readonly allowance: number;
  timer: NodeJS.Timeout;
  /** Another prober died over it already, or just before it. */
  again: boolean;
}

interface Busy {
  readonly waiting: Waiting;
  readonly since: number;
}

export function startProber(options: ProberOptions): Prober {
  const workers = new Map<Worker, Busy | undefined>();
  /** Connections with a reader that was given up and has not ended. */
  const stuck = new Map<DeviceId, number>();
  let queue: Waiting[] = [];
  let nextId = 1;
  let over = false;
  let patienceTimer: NodeJS.Timeout | undefined;

  function hire(): void {
    const worker = startWorker(options.command);
    workers.set(worker, undefined);
    void worker.ended.then(() => {
      workers.delete(worker);
      if (!over && queue.length > 0) pump();
    });
  }

  function pump(): void {
    if (queue.length > 0 && workers.size === 0) hire();
    const busyDevices = new Set([...workers.values()].map((busy) => busy?.waiting.request.device));
    for (const [worker, busy] of [...workers]) {
      if (busy !== undefined) continue;
      const next = queue.findIndex(({ request }) => !busyDevices.has(request.device));
      const [waiting] = next === -1 ? [] : queue.splice(next, 1);
      if (waiting === undefined) break;
      busyDevices.add(waiting.request.device);
      void serve(worker, waiting);
    }
    dismissSurplus();
    watchPatience();
  }

  /** Sees to it that one slow read does not hold up those of other connections. */
  function watchPatience(): void {
    clearTimeout(patienceTimer);
    patienceTimer = undefined;
    if (queue.length === 0 || workers.size >= mostWorkers) return;
    patienceTimer = setTimeout(() => {
      const now = performance.now();
      const allSlow = [...workers].every(
        ([worker, busy]) => worker.isReady() && busy !== undefined && now - busy.since >= patience,
      );
      const others = new Set([...workers.values()].map((busy) => busy?.waiting.request.device));
      if (allSlow && queue.some(({ request }) => !others.has(request.device))) hire();
      pump();
    }, patience);
  }

  function dismissSurplus(): void {
    const idle = [...workers].filter(([, busy]) => busy === undefined).slice(1);
    for (const [worker] of idle) {
      workers.delete(worker);
      worker.kill();
    }
  }

  async function serve(worker: Worker, waiting: Waiting): Promise<void> {
    workers.set(worker, { waiting, since: performance.now() });
    arm(waiting);
    const answer = await worker.ask(probeRequest(nextId++, waiting.request, options.nodeMountNamespace));
    if (workers.has(worker)) workers.set(worker, undefined);
    if (answer === undefined) workers.delete(worker);
    if (answer === undefined && !waiting.again && !over) {
      waiting.again = true;
      queue.unshift(waiting);
    } else settle(waiting, resultOf(answer, waiting.request));
    if (!over) pump();
  }

  function arm(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    waiting.timer = setTimeout(() => expire(waiting), waiting.allowance);
  }

  function settle(waiting: Waiting, result: Result<DeviceId>): void {
    clearTimeout(waiting.timer);
    waiting.settle(result);
  }

  function expire(waiting: Waiting): void {
    const { device } = waiting.request;
    const reading = [...workers].find(([, busy]) => busy?.waiting === waiting)?.[0];
    if (reading === undefined) {
      // Where the read before it hangs, that one's time ends, and this one's with it.
      if ([...workers.values()].some((busy) => busy?.waiting.request.device === device)) {
        arm(waiting);
        return;
      }
      queue = queue.filter((one) => one !== waiting);
      waiting.settle(failed(failure('EAGAIN', 'read-queue', waiting.request)));
      return;
    }
    workers.delete(reading);
    stuck.set(device, (stuck.get(device) ?? 0) + 1);
    reading.abandon();
    void reading.ended.then(() => {
      const left = (stuck.get(device) ?? 1) - 1;
      if (left === 0) stuck.delete(device);
      else stuck.set(device, left);
    });
    waiting.settle(failed(failure('ETIMEDOUT', 'read', waiting.request)));
    // Those behind it would only hang as well.
    const [same, others] = [queue.filter((one) => one.request.device === device), queue];
    queue = others.filter((one) => one.request.device !== device);
    for (const one of same) settle(one, failed(failure('ETIMEDOUT', 'read-queue', one.request)));
    pump();
  }

  hire();

  return {
    read(request) {
      if (over) return Promise.resolve(failed(failure('ECANCELED', 'read-queue', request)));
      if (stuck.has(request.device)) return Promise.resolve(failed(failure('ETIMEDOUT', 'read-queue', request)));
      const { promise, resolve } = Promise.withResolvers<Result<DeviceId>>();
      const left = Number(request.deadline - options.now()) / 1e6;
      const allowance = Math.max(1, Math.ceil(left));
      const timer = setTimeout(() => expire(waiting), allowance);
      const waiting: Waiting = { request, settle: resolve, allowance, timer, again: false };
      // Whether a daemon is there is asked before what it can give is proved: hundreds of proofs are no hang.
      const firstProof = request.proof === 'answer' ? queue.findIndex(isProof) : -1;
      queue.splice(firstProof === -1 ? queue.length : firstProof, 0, waiting);
      pump();
      return promise;
    },
    async [Symbol.asyncDispose]() {
      over = true;
      clearTimeout(patienceTimer);
      for (const waiting of queue.splice(0))
        settle(waiting, failed(failure('ECANCELED', 'read-queue', waiting.request)));
      const running = [...workers].map(([worker]) => worker);
      for (const worker of running) worker.kill();
      await Promise.race([
        Promise.all(running.map(({ ended }) => ended)),
        delay(graceOfEnd, undefined, { ref: false }),
      ]);
      for (const worker of running) worker.abandon();
    },
  };
}

const isProof = ({ request }: Waiting) => request.proof !== 'answer';

function probeRequest(id: number, { site, proof, user }: ReadRequest, node: string | undefined): ProbeRequest {
  const { path } = site;
  const what = { id, path, ...(proof === 'answer' && { answerOnly: true as const }) };
  if (site.kind !== 'container') return { ...what, ...(node === undefined ? {} : { namespace: node }) };
  const { pid } = site;
  const namespace = `/proc/${pid}/ns/mnt`;
  return { ...what, namespace, ...(user === undefined ? {} : { as: { pid, ...user } }) };
}

function resultOf(answer: ProbeAnswer | undefined, request: ReadRequest): Result<DeviceId> {
  if (answer === undefined) return failed(failure('ECHILD', 'read', request));
  return 'device' in answer ? ok(answer.device) : failed(answer.failure);
}

function failure(errno: string, step: string, { site }: ReadRequest): Failure {
  return { errno, call: 'read', path: site.path, step };
}
