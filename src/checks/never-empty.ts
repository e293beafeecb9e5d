import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import type { Consumer } from './consumer.ts';
import { concluded } from './finding.ts';
import { neverSees } from './never.ts';

/** The directory beneath the volume never shows: not as an empty listing, not as a file that does not exist. */
export function seesNoEmptyDirectory(history: readonly HistoryEvent[], consumer: Consumer): CheckRecord {
  return concluded(
    { name: 'the pod never sees an empty directory', claims: ['C3'] },
    neverSees(history, consumer, { results: ['EEMPTY', 'ENOENT'], shownBy: 'list', good: 'no listing lacked a file' }),
  );
}
