import type { DeviceId, Nanoseconds } from './model.ts';
import type { ClockPort, KernelPort, ReadRequest } from './ports.ts';

/** What the last read of a device said. */
export interface Answer {
  /** `ok`, `hung`, or an errno name; `ESTALE` where another device answered than the one that was asked. */
  readonly said: string;
  /** Since when the device has not answered; of a hung one only. */
  readonly hungSince?: Nanoseconds;
}

export interface AnswersOptions {
  readonly kernel: Pick<KernelPort, 'read'>;
  readonly clock: Pick<ClockPort, 'now'>;
  /** How long a device that has answered before may take. */
  readonly deadline: Nanoseconds;
  /** How long a new mount may take: it shows in the table before its daemon answers INIT, and a read just waits for that. */
  readonly firstDeadline: Nanoseconds;
}

/** The reads of FUSE devices, at most one under way for each device however many volumes and passes ask. */
export interface Answers {
  ask(request: Pick<ReadRequest, 'site' | 'user' | 'device'>): Promise<Answer>;
  known(device: DeviceId): Answer | undefined;
  /** Whether the device has answered at least once. */
  hasAnswered(device: DeviceId): boolean;
  /** Drops what is known of all other devices: their numbers may be given to other filesystems. */
  keep(devices: ReadonlySet<DeviceId>): void;
}

export function createAnswers({ kernel, clock, deadline, firstDeadline }: AnswersOptions): Answers {
  const answers = new Map<DeviceId, Answer>();
  const asking = new Map<DeviceId, Promise<Answer>>();
  const answered = new Set<DeviceId>();

  async function read(request: Pick<ReadRequest, 'site' | 'user' | 'device'>): Promise<Answer> {
    const { device, site } = request;
    const began = clock.now();
    const patience = site.kind === 'source' && !answered.has(device) ? firstDeadline : deadline;
    // Whether a daemon is there is all that is asked: what it can give is for the consumer's own read to prove.
    const result = await kernel.read({
      ...request,
      proof: 'answer',
      deadline: (began + patience) as Nanoseconds,
    });
    if (result.ok) {
      const said = result.value === device ? 'ok' : 'ESTALE';
      if (said === 'ok') answered.add(device);
      return { said };
    }
    if (result.failure.errno !== 'ETIMEDOUT') return { said: result.failure.errno };
    return { said: 'hung', hungSince: answers.get(device)?.hungSince ?? began };
  }

  return {
    ask(request) {
      const { device } = request;
      const under = asking.get(device);
      if (under !== undefined) return under;
      const reading = read(request).then((answer) => {
        asking.delete(device);
        answers.set(device, answer);
        return answer;
      });
      asking.set(device, reading);
      return reading;
    },
    known: (device) => answers.get(device),
    hasAnswered: (device) => answered.has(device),
    keep(devices) {
      for (const device of answers.keys()) if (!devices.has(device)) answers.delete(device);
      for (const device of answered) if (!devices.has(device)) answered.delete(device);
    },
  };
}

/** Whether the answer is final: a connection that was aborted never comes back. */
export function isDead(answer: Answer | undefined): boolean {
  return answer?.said === 'ENOTCONN' || answer?.said === 'ECONNABORTED';
}
