import type { DeviceId, Liveness, Nanoseconds } from '../../engine/model.ts';
import type { AskRequest } from '../../engine/ports.ts';
import { killAll, startLineHelper, within } from '../helper.ts';
import type { ProberOptions } from './client.ts';
import { type Answer, namespaceOfSite, type Question, ready, type WaitResponse } from './protocol.ts';

/** Asks connections whether they answer. Each has a lane of its own, so that none waits for another. */
export interface Lanes extends AsyncDisposable {
  /**
   * Never rejects. `hung`: the connection has been asked and has not answered by the deadline. That call stays the only one, and its
   * answer will be the answer to later questions. `unknown`: it could not be asked, or it is uncertain whether it has been.
   */
  ask(request: AskRequest): Promise<Liveness>;
}

/** One thread each, which costs a few pages. Connections beyond these are asked by another process. */
const lanesPerProcess = 128;
/** If all lanes of all processes are taken by connections that hang, others are unknown. */
const maxProcesses = 8;
/** Milliseconds in which a process confirms that a connection has been asked. */
const confirmTimeout = 1000;

interface Lane {
  readonly id: number;
  readonly process: LaneProcess;
  readonly openedAt: Nanoseconds;
  readonly answer: Promise<Answer>;
}

export function startLanes({ command, nodeMountNamespace, now }: ProberOptions): Lanes {
  const lanes = new Map<DeviceId, Lane>();
  const processes = new Set<LaneProcess>();
  let nextId = 1;

  /** A process that has a free lane and the user that the mount admits. If there are too many, one ends that waits for nothing. */
  function findProcess(user: AskRequest['user']): LaneProcess | undefined {
    const args = user === undefined ? [] : [String(user.uid), String(user.gid)];
    const key = args.join();
    const free = [...processes].find((each) => each.user === key && each.open() < lanesPerProcess);
    if (free !== undefined) return free;
    if (processes.size >= maxProcesses) {
      const idle = [...processes].find((each) => each.user !== '' && each.open() === 0);
      if (idle === undefined) return undefined;
      processes.delete(idle);
      idle.kill();
    }
    const started = startProcess([...command, 'wait', ...args], key);
    processes.add(started);
    void started.ended.then(() => processes.delete(started));
    return started;
  }

  function openLane({ site, device, user }: AskRequest): Lane | undefined {
    const process = findProcess(user);
    if (process === undefined) return undefined;
    const namespace = namespaceOfSite(site, nodeMountNamespace);
    const id = nextId++;
    const answer = process.ask({ id, path: site.path, device, ...(namespace === undefined ? {} : { namespace }) });
    const lane = { id, process, openedAt: now(), answer };
    lanes.set(device, lane);
    void answer.then(() => lanes.delete(device));
    return lane;
  }

  findProcess(undefined);

  return {
    async ask(request) {
      const askedAt = now();
      const lane = lanes.get(request.device) ?? openLane(request);
      if (lane === undefined) return { status: 'unknown', errno: 'EAGAIN' };
      // The lane may have been open for some or all of that time already.
      const allowance = request.deadline - askedAt;
      const answer = await within(Number(allowance - (askedAt - lane.openedAt)) / 1e6, lane.answer);
      if (answer !== undefined) return toLiveness(answer);
      // The time may also have passed because the process, its thread or this one did not run.
      const confirmed = await within(confirmTimeout, Promise.race([lane.answer, lane.process.confirm(lane.id)]));
      if (confirmed === undefined || confirmed === 'not-asked') return { status: 'unknown', errno: 'EAGAIN' };
      return confirmed === 'asked' ? { status: 'hung', since: lane.openedAt } : toLiveness(confirmed);
    },
    async [Symbol.asyncDispose]() {
      await killAll([...processes]);
    },
  };
}

function toLiveness(answer: Answer): Liveness {
  if ('unknown' in answer) return { status: 'unknown', errno: answer.unknown };
  if ('dead' in answer) return { status: 'dead', errno: answer.dead };
  return { status: 'live', ...(answer.usage === undefined ? {} : { usage: answer.usage }) };
}

/** A process that asks, and waits with one thread for each connection that has not answered. */
interface LaneProcess {
  readonly user: string;
  readonly ended: Promise<void>;
  /** Number of questions without an answer. */
  open(): number;
  /** Never rejects. */
  ask(question: Question): Promise<Answer>;
  /** Whether the daemon has been asked and has not answered. Resolves late or never if the process does not run. */
  confirm(id: number): Promise<'asked' | 'not-asked'>;
  kill(): void;
}

function startProcess(command: readonly string[], user: string): LaneProcess {
  // Two more threads than lanes, for control calls. One arena for all of them, as each would take memory of its own.
  const env = { UV_THREADPOOL_SIZE: String(lanesPerProcess + 2), MALLOC_ARENA_MAX: '1' };
  const questions = new Map<number, PromiseWithResolvers<Answer>>();
  const confirmations = new Map<number, PromiseWithResolvers<'asked' | 'not-asked'>>();
  const onLine = (line: string) => {
    if (line === ready) return;
    const response: WaitResponse = JSON.parse(line);
    if ('fd' in response || 'errno' in response) return;
    if ('isAsked' in response) {
      confirmations.get(response.id)?.resolve(response.isAsked ? 'asked' : 'not-asked');
      confirmations.delete(response.id);
    } else {
      questions.get(response.id)?.resolve(response);
      questions.delete(response.id);
      confirmations.delete(response.id);
    }
  };
  const helper = startLineHelper({ command, env, onLine });
  const ended = helper.ended.then(() => {
    for (const { resolve } of questions.values()) resolve({ unknown: 'ECHILD' });
    questions.clear();
  });

  return {
    user,
    ended,
    open: () => questions.size,
    async ask(question) {
      if (helper.hasEnded()) return { unknown: 'ECHILD' };
      const answer = Promise.withResolvers<Answer>();
      questions.set(question.id, answer);
      helper.send(JSON.stringify(question));
      return answer.promise;
    },
    confirm(id) {
      const confirmation = confirmations.get(id) ?? Promise.withResolvers();
      if (!confirmations.has(id)) helper.send(JSON.stringify({ confirm: id }));
      confirmations.set(id, confirmation);
      return confirmation.promise;
    },
    kill: helper.kill,
  };
}
