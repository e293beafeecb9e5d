import type { HistoryEvent } from '../timeline/record.ts';
import type { Trial } from './trial.ts';

const deadMount = 'Transport endpoint is not connected';

/** `ls -l /data` each second in the pod, as documented. Judged by errno's text, so its language is fixed. */
export async function startLoop(trial: Trial, pod: string): Promise<void> {
  const script = 'export LC_ALL=C; while true; do ls -l /data; sleep 1; done';
  await trial.run(pod, ['bash', '-c', script], `loop in ${pod}`);
  await trial.happens('the loop lists the files', (event) => event.kind === 'output' && event.text.includes('myfile'));
}

/** Until the documented loop has shown errors and then the files. */
export async function loopListsAgain(trial: Trial): Promise<void> {
  const since = trial.lastFault;
  const says = (event: HistoryEvent, text: string) =>
    event.kind === 'output' && event.at > since && event.text.includes(text);
  await trial.happens('the loop prints errors', (event) => says(event, deadMount));
  const failed = trial.history.findLast((event) => says(event, deadMount))?.at ?? 0;
  await trial.happens('the loop lists the files again', (event) => event.at > failed && says(event, 'myfile.txt'));
}
