import type { HistoryEvent } from '../timeline/record.ts';
import type { ScenarioPod } from './pod.ts';
import type { Scenario } from './scenario.ts';

const deadMount = 'Transport endpoint is not connected';

/** Name of the loop's program in `output` events. */
export const loopIn = ({ name }: ScenarioPod) => `loop in ${name}`;

/**
 * Runs `ls -l /data` each second in the pod, as documented; the directory itself if that is a symbolic link of the image, of which `ls` would
 * show the link. Judged by errno's text, so its language is fixed.
 */
export async function startLoop(pod: ScenarioPod): Promise<void> {
  const script = 'export LC_ALL=C; while true; do ls -l "$0"; sleep 1; done';
  await pod.run(['bash', '-c', script, pod.consumer.path], loopIn(pod));
  await untilLoopLists(pod.namespace.scenario);
}

export function untilLoopLists(scenario: Scenario): Promise<void> {
  return scenario.happens(
    'the loop lists the files',
    (event) => event.kind === 'output' && event.text.includes('myfile'),
  );
}

/** Waits until the loop has printed errors since the last fault, and then the files. */
export async function untilLoopListsAgain(scenario: Scenario): Promise<void> {
  const since = scenario.lastFaultAt;
  const prints = (event: HistoryEvent, text: string) =>
    event.kind === 'output' && event.at > since && event.text.includes(text);
  await scenario.happens('the loop prints errors', (event) => prints(event, deadMount));
  const failed = scenario.history.findLast((event) => prints(event, deadMount))?.at ?? 0;
  await scenario.happens('the loop lists the files again', (event) => event.at > failed && prints(event, 'myfile.txt'));
}
