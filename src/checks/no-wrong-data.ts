import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import type { Consumer } from './consumer.ts';
import { concluded } from './finding.ts';
import { neverSees } from './never.ts';

/** Whatever the pod could read had the expected checksum. */
export function readsNoWrongData(history: readonly HistoryEvent[], consumer: Consumer): CheckRecord {
  return concluded(
    { name: 'the pod never reads wrong data', claims: ['C3'] },
    neverSees(history, consumer, { results: ['EBADSUM'], shownBy: 'read', good: 'no read returned other bytes' }),
  );
}
