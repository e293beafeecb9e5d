import type { Trial } from './trial.ts';

const everyMs = 50;

/**
 * Opens a file once and reads all of it from the same descriptor again and again, past the kernel's cache (O_DIRECT), which
 * would answer for a daemon that is no more; prints what came of each read.
 */
const script = `
  const fs = require('node:fs');
  const { O_RDONLY, O_DIRECT } = fs.constants;
  const fd = fs.openSync(process.argv[1], O_RDONLY | O_DIRECT);
  const buffer = Buffer.alloc(1 << 16);
  let first;
  const read = () => {
    try {
      const text = buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, 0)).toString('latin1');
      first ??= text;
      return text === first && text !== '' ? 'ok' : 'wrong';
    } catch ({ code }) {
      return code;
    }
  };
  setInterval(() => console.log(read()), ${everyMs});
`;

/** As in the `output` events of the history. */
export const heldFile = (pod: string) => `held file in ${pod}`;

/** Has a program in the pod hold a file open and read it, until the scenario ends; resolves when it has read it. */
export async function holdFileOpen(trial: Trial, pod: string, path: string): Promise<void> {
  await trial.run(pod, [process.execPath, '-e', script, path], heldFile(pod));
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
