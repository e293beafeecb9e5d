import type { Trial } from './trial.ts';

/** As in the `output` events of the history. */
export const heldFile = (pod: string) => `held file in ${pod}`;

/** Has a program in the pod hold a file open and read it, until the scenario ends; resolves when it has read it. */
export async function holdFileOpen(trial: Trial, pod: string, path: string): Promise<void> {
  await trial.runProgram({ program: 'heldFile', args: [path], name: heldFile(pod), pod });
  await trial.happens(
    'the held file is read',
    (event) => event.kind === 'output' && event.program === heldFile(pod) && event.text === 'ok',
  );
}

/** Until the program has tried to read the file some more times. */
export async function heldFileFails(trial: Trial, pod: string): Promise<void> {
  const since = trial.session.history.now();
  await trial.poll({
    what: 'the held file is tried again',
    look: () =>
      trial.history.filter((event) => event.kind === 'output' && event.program === heldFile(pod) && event.at > since),
    until: ({ length }) => length >= 5,
    say: ({ length }) => `${length} reads`,
  });
}
