import { type Acted, act, type Turn } from './act.ts';
import { type Answer, type Answers, isDead } from './answers.ts';
import type { Journal } from './journal.ts';
import type { Looks } from './looks.ts';
import type { Memory } from './memory.ts';
import type { DeviceId, Nanoseconds, Policy, SourceState, Trigger, Volume } from './model.ts';
import {
  type Look,
  type Question,
  type Questions,
  questionsOf,
  type Sight,
  sourceQuestions,
  statesOf,
} from './observe.ts';
import type { ClockPort, KernelPort, Recorder, VolumeLocks } from './ports.ts';
import { prove } from './prove.ts';

export interface WalkParts {
  readonly kernel: Pick<KernelPort, 'read' | 'replaceAll'>;
  readonly locks: VolumeLocks;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly answers: Answers;
  readonly looks: Looks;
  readonly policy: () => Policy;
  readonly readDeadline: Nanoseconds;
  readonly proofPause: Nanoseconds;
  readonly isStopped: () => boolean;
  /** The sources of the volume have answered; before anything is done about it. */
  readonly onStates: (volume: Volume, states: readonly SourceState[]) => void;
}

/** What a walk of one volume came to. */
export interface Walked extends Pick<Acted, 'began' | 'applied' | 'actions' | 'skips' | 'replaced' | 'again'> {
  readonly verified: Nanoseconds;
}

export interface HowToFinish {
  readonly trigger: Trigger;
  /** Without a look into containers where all is as it was. */
  readonly mayBeQuiet: boolean;
  /** Looks at the containers as closely as the pass has to; does so once. */
  readonly lookInside: () => void;
}

/** A walk whose sources are being asked. */
export interface Walk {
  /** Undefined where a later walk has taken its site, and where there was nothing to look at any more. */
  finish(how: HowToFinish): Promise<Walked | undefined>;
}

/**
 * Asks a volume's sources, to act once they have answered. Undefined where another walk already waits for the same ones; one
 * that waits for sources that are no longer there is given up.
 */
export function beginWalk(parts: WalkParts, tables: Look, sight: Sight, memory: Memory): Walk | undefined {
  const { volume, sourceSignature } = sight;
  if (memory.asking?.sourceSignature === sourceSignature) return undefined;
  const token = { sourceSignature };
  memory.asking = token;
  const reads = createReads(parts.answers);
  const sources = sourceQuestions(tables, volume);
  reads.ask(sources);

  return {
    async finish({ trigger, mayBeQuiet, lookInside }) {
      if (!(await sourcesAnswered())) return giveUp();
      if (mayBeQuiet && isQuiet(reads, tables, sight, memory)) return giveUp();
      announce(parts, reads, { volume, memory, trigger, tables });
      lookInside();
      const isNews = trigger === 'daemon-exit' || trigger === 'mount-table';
      memory.holds = isNews && isUnserved(reads, tables, volume);
      if (memory.holds) {
        giveUp();
        return nothingDone(parts.clock.now());
      }
      const inside = await answered(() => parts.looks.recent(memory.actedAt));
      giveUp();
      return inside === undefined ? undefined : conclude(parts, reads, { volume, memory, trigger, tables: inside });
    },
  };

  /** Whether enough of the sources have answered, and this walk is still wanted. */
  async function sourcesAnswered(): Promise<boolean> {
    for (;;) {
      if (parts.isStopped() || memory.asking !== token) return false;
      if (reads.isEnough(sources)) return true;
      await reads.next(sources);
    }
  }

  /** Another walk may begin, unless one has taken this one's site already. */
  function giveUp(): undefined {
    if (memory.asking === token) memory.asking = undefined;
  }

  /** The tables to act by: all that they show to be asked has answered, or as much of it as is needed. */
  async function answered(look: () => Look | undefined): Promise<Look | undefined> {
    for (;;) {
      const seen = look();
      if (seen === undefined || parts.isStopped() || memory.asking !== token) return undefined;
      const questions = questionsOf(seen, volume, parts.answers);
      if (reads.areAnswered(questions)) return seen;
      reads.ask([...questions.sources, ...questions.sites]);
      await reads.next([...questions.sources, ...questions.sites]);
    }
  }
}

/** A resync that finds each source as it was, and nothing astray, needs no look into the containers. */
function isQuiet(reads: Reads, tables: Look, { volume, targets }: Sight, memory: Memory): boolean {
  const states = statesOf(tables, volume, reads);
  return (
    !targets().astray &&
    memory.unwell.length === 0 &&
    memory.unverified.size === 0 &&
    states.every(({ state }) => state === 'live') &&
    JSON.stringify(states) === JSON.stringify(memory.sources)
  );
}

/** Whether no source of a volume is live: then nothing can be done for any of its sites. */
function isUnserved(reads: Reads, tables: Look, volume: Volume): boolean {
  return statesOf(tables, volume, reads).every(({ state }) => state === 'dead' || state === 'absent');
}

function nothingDone(began: Nanoseconds): Walked {
  const none = 0n as Nanoseconds;
  return { began, applied: none, verified: none, actions: 0, skips: 0, replaced: 0, again: false };
}

/** Tells of sources that are no longer as they were, before anything is done about it. */
function announce({ journal, onStates }: WalkParts, reads: Reads, { volume, memory, trigger, tables }: Turn): void {
  const states = statesOf(tables, volume, reads);
  const paths = new Set(states.map(({ path }) => path));
  // A source that has not answered yet, because another was enough, is as it was.
  memory.sources = [...states, ...memory.sources.filter(({ path }) => !paths.has(path))];
  for (const source of states) journal.noticed({ trigger, volume: volume.name, source });
  onStates(volume, states);
}

async function conclude(parts: WalkParts, reads: Reads, turn: Turn): Promise<Walked> {
  const { kernel, locks, clock, recorder, journal, looks, readDeadline, proofPause: pause, isStopped } = parts;
  announce(parts, reads, turn);
  const lookAgain = () => looks.scan('known');
  const acted = act(
    { kernel, locks, clock, recorder, journal, answers: reads, policy: parts.policy(), lookAgain },
    turn,
  );
  const began = clock.now();
  await prove(
    {
      kernel,
      clock,
      recorder,
      journal,
      pause,
      deadline: readDeadline,
      isStopped,
      lookAgain: () => looks.recent(began),
    },
    turn.memory,
    acted.view,
    acted.unproven,
  );
  return { ...acted, verified: (clock.now() - began) as Nanoseconds };
}

type Reads = ReturnType<typeof createReads>;

/** The reads of one walk: a device is asked once, and whoever else asks it at the time shares the answer. */
function createReads(answers: Answers) {
  const asked = new Map<DeviceId, Promise<Answer>>();
  const done = new Map<DeviceId, Answer>();

  const isDone = ({ device }: Question) => done.has(device);
  const isLive = ({ device }: Question) => done.get(device)?.said === 'ok';
  const read = ({ device }: Question) => asked.get(device);
  /** Of several sources one live one is enough. */
  const isEnough = (sources: readonly Question[]) => sources.some(isLive) || sources.every(isDone);

  return {
    ask(questions: readonly Question[]): void {
      for (const question of questions) {
        const { device } = question;
        if (asked.has(device)) continue;
        const reading = answers.ask(question).then((answer) => {
          done.set(device, answer);
          return answer;
        });
        asked.set(device, reading);
      }
    },
    /** What this walk has heard; of earlier answers only those that are final, about devices that are no source by now. */
    known(device: DeviceId): Answer | undefined {
      const before = answers.known(device);
      return done.get(device) ?? (isDead(before) && !asked.has(device) ? before : undefined);
    },
    isEnough,
    /** What is seen at a site has to have answered, too. */
    areAnswered({ sources, sites, shown }: Questions): boolean {
      const needed = [...sites, ...sources.filter(({ device }) => shown.has(device))];
      return isEnough(sources) && needed.every(isDone);
    },
    /** Waits until one more of them has answered. */
    async next(questions: readonly Question[]): Promise<void> {
      await Promise.race(questions.filter((question) => !isDone(question)).map(read));
    },
  };
}
