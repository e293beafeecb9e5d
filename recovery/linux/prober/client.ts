import { fileURLToPath } from 'node:url';
import type { DeviceId, Failure, Nanoseconds } from '../../engine/model.ts';
import type { ReadAnswer, ReadRequest, Result } from '../../engine/ports.ts';
import { killAll, type LineHelper, startLineHelper } from '../helper.ts';
import { failed, ok } from '../result.ts';
import { namespaceOfSite, type ProberRequest, type ProberResponse, ready } from './protocol.ts';

const mainFile = fileURLToPath(new URL('./main.ts', import.meta.url));

/** The command that starts the prober, by default from source. The heap is small because the prober holds one line at a time. */
export function proberArgv(program = mainFile): readonly string[] {
  const small = ['--max-semi-space-size=1', '--max-old-space-size=24', '--v8-pool-size=0'];
  return [process.execPath, ...small, '--disable-warning=ExperimentalWarning', program];
}

export interface ProberOptions {
  readonly command: readonly string[];
  /** Path of the node's mount namespace, if it is not the agent's own. */
  readonly nodeMountNamespace: string | undefined;
  /** CLOCK_MONOTONIC. */
  readonly now: () => Nanoseconds;
}

export interface Prober extends AsyncDisposable {
  /**
   * Never rejects. ETIMEDOUT: no answer by the deadline, or an earlier read of the same connection still hangs. EAGAIN at step
   * `probers-hang`: reads of other connections hang, and no further process may be started.
   */
  read(request: ReadRequest): Promise<Result<ReadAnswer>>;
}

/**
 * If this many connections are slow to read, all other reads wait for the first of them. Killed processes that hang count too: each takes
 * 11 MB until its daemon ends.
 */
const maxProcesses = 12;
/** After this time, in milliseconds, another worker is started so that a slow read does not delay other connections. */
const slowAfter = 30;

interface PendingRead {
  readonly request: ReadRequest;
  readonly settle: (result: Result<ReadAnswer>) => void;
  /** Milliseconds that the read may take, without the time in which it waits for answered reads of the same connection. */
  readonly allowance: number;
  timer: NodeJS.Timeout;
  /** Whether a prober has died while it served this read, so that it is not tried a third time. */
  isRetry: boolean;
}

interface RunningRead {
  readonly pending: PendingRead;
  /** `performance.now()`. */
  readonly startedAt: number;
}

export function startProber(options: ProberOptions): Prober {
  const workers = new Map<Worker, RunningRead | undefined>();
  /** Abandoned workers that have not ended yet, with their connections. No read of these is begun. */
  const stuck = new Map<Worker, DeviceId>();
  let queue: PendingRead[] = [];
  let nextId = 1;
  let isDisposed = false;
  let slowReadTimer: NodeJS.Timeout | undefined;

  const mayAddWorker = () => workers.size + stuck.size < maxProcesses;

  function addWorker(): void {
    const worker = startWorker(options.command);
    workers.set(worker, undefined);
    void worker.ended.then(() => {
      workers.delete(worker);
      if (!isDisposed && queue.length > 0) dispatch();
    });
  }

  function dispatch(): void {
    if (queue.length > 0 && workers.size === 0) {
      if (mayAddWorker()) addWorker();
      else for (const each of queue.splice(0)) settle(each, failed(failure('EAGAIN', 'probers-hang', each.request)));
    }
    const busyDevices = new Set([...workers.values()].map((busy) => busy?.pending.request.device));
    for (const [worker, busy] of [...workers]) {
      if (busy !== undefined) continue;
      const next = queue.findIndex(({ request }) => !busyDevices.has(request.device));
      const [pending] = next === -1 ? [] : queue.splice(next, 1);
      if (pending === undefined) break;
      busyDevices.add(pending.request.device);
      void serve(worker, pending);
    }
    removeIdleWorkers();
    watchForSlowReads();
  }

  /** Adds a worker when all are busy with slow reads and a read of another connection waits. */
  function watchForSlowReads(): void {
    clearTimeout(slowReadTimer);
    slowReadTimer = undefined;
    if (queue.length === 0 || !mayAddWorker()) return;
    slowReadTimer = setTimeout(() => {
      const now = performance.now();
      const allSlow = [...workers].every(
        ([worker, busy]) => worker.isReady() && busy !== undefined && now - busy.startedAt >= slowAfter,
      );
      const others = new Set([...workers.values()].map((busy) => busy?.pending.request.device));
      if (allSlow && queue.some(({ request }) => !others.has(request.device))) addWorker();
      dispatch();
    }, slowAfter);
  }

  function removeIdleWorkers(): void {
    const idle = [...workers].filter(([, busy]) => busy === undefined).slice(1);
    for (const [worker] of idle) {
      workers.delete(worker);
      worker.kill();
    }
  }

  async function serve(worker: Worker, pending: PendingRead): Promise<void> {
    workers.set(worker, { pending, startedAt: performance.now() });
    startTimer(pending);
    const response = await worker.read(toProberRequest(nextId++, pending.request, options.nodeMountNamespace));
    if (workers.has(worker)) workers.set(worker, undefined);
    if (response === undefined) workers.delete(worker);
    if (response === undefined && !pending.isRetry && !isDisposed) {
      pending.isRetry = true;
      queue.unshift(pending);
    } else settle(pending, toResult(response, pending.request));
    if (!isDisposed) dispatch();
  }

  function startTimer(pending: PendingRead): void {
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => expire(pending), pending.allowance);
  }

  function settle(pending: PendingRead, result: Result<ReadAnswer>): void {
    clearTimeout(pending.timer);
    pending.settle(result);
  }

  function expire(pending: PendingRead): void {
    const { device } = pending.request;
    const worker = [...workers].find(([, busy]) => busy?.pending === pending)?.[0];
    if (worker === undefined) {
      // If the running read of this connection hangs, its own expiry settles this one as well.
      if ([...workers.values()].some((busy) => busy?.pending.request.device === device)) {
        startTimer(pending);
        return;
      }
      queue = queue.filter((queued) => queued !== pending);
      pending.settle(failed(failure('EAGAIN', 'read-queue', pending.request)));
      return;
    }
    workers.delete(worker);
    stuck.set(worker, device);
    worker.kill();
    void worker.ended.then(() => stuck.delete(worker));
    pending.settle(failed(failure('ETIMEDOUT', 'read', pending.request)));
    // Queued reads of the same connection would hang too.
    const { same = [], others = [] } = Object.groupBy(queue, ({ request }) =>
      request.device === device ? 'same' : 'others',
    );
    queue = others;
    for (const queued of same) settle(queued, failed(failure('ETIMEDOUT', 'read-queue', queued.request)));
    dispatch();
  }

  addWorker();

  return {
    read(request) {
      if (isDisposed) return Promise.resolve(failed(failure('ECANCELED', 'read-queue', request)));
      if ([...stuck.values()].includes(request.device))
        return Promise.resolve(failed(failure('ETIMEDOUT', 'read-queue', request)));
      const { promise, resolve } = Promise.withResolvers<Result<ReadAnswer>>();
      const remaining = Number(request.deadline - options.now()) / 1e6;
      const allowance = Math.max(1, Math.ceil(remaining));
      const timer = setTimeout(() => expire(pending), allowance);
      const pending: PendingRead = { request, settle: resolve, allowance, timer, isRetry: false };
      queue.push(pending);
      dispatch();
      return promise;
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      clearTimeout(slowReadTimer);
      for (const pending of queue.splice(0))
        settle(pending, failed(failure('ECANCELED', 'read-queue', pending.request)));
      await killAll([...workers.keys()]);
    },
  };
}

function toProberRequest(id: number, { site, user, device }: ReadRequest, node: string | undefined): ProberRequest {
  const namespace = namespaceOfSite(site, node);
  return {
    id,
    path: site.path,
    device,
    ...(namespace && { namespace }),
    ...(site.kind === 'container' && user && { as: { pid: site.pid, ...user } }),
  };
}

function toResult(response: ProberResponse | undefined, request: ReadRequest): Result<ReadAnswer> {
  if (response === undefined) return failed(failure('ECHILD', 'read', request));
  return 'answer' in response ? ok(response.answer) : failed(response.failure);
}

function failure(errno: string, step: string, { site }: ReadRequest): Failure {
  return { errno, call: 'read', path: site.path, step };
}

/** One prober process. It serves one request at a time. */
interface Worker extends Pick<LineHelper, 'ended' | 'kill'> {
  /** Whether the process has started and serves requests. */
  isReady(): boolean;
  /** Resolves with undefined if the process ends instead of answering. */
  read(request: ProberRequest): Promise<ProberResponse | undefined>;
}

function startWorker(command: readonly string[]): Worker {
  let isReady = false;
  let respond: ((response: ProberResponse | undefined) => void) | undefined;
  const settle = (response: ProberResponse | undefined) => {
    const resolve = respond;
    respond = undefined;
    resolve?.(response);
  };
  const onLine = (line: string) => {
    if (line === ready) isReady = true;
    else settle(JSON.parse(line));
  };
  const helper = startLineHelper({ command, onLine });
  const ended = helper.ended.then(() => {
    isReady = false;
    settle(undefined);
  });

  return {
    ended,
    isReady: () => isReady,
    read(request) {
      const { promise, resolve } = Promise.withResolvers<ProberResponse | undefined>();
      if (helper.hasEnded()) resolve(undefined);
      else {
        respond = resolve;
        helper.send(JSON.stringify(request));
      }
      return promise;
    },
    kill: helper.kill,
  };
}
