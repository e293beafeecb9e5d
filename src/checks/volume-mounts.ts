import { isReadOnly, parseMountLine } from '../../recovery/linux/mountinfo.ts';
import type { HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';

/** A mount of a volume as the history shows it: as it was made, or as it stood in a table. */
export interface SeenMount {
  readonly at: number;
  readonly where: string;
  readonly mountPoint: string;
  readonly options: string;
  readonly readOnly: boolean;
  /** Whether it was seen being made, rather than in a table. */
  readonly made: boolean;
}

export interface VolumePlaces {
  readonly consumer: Consumer;
  /** The PersistentVolume's name, part of the target path. */
  readonly volume: string;
}

/**
 * The FUSE mounts at a volume's target paths on the node and at its mount path in the consumer. The daemon's own mount is
 * none of them.
 */
export function mountsOfVolume(history: readonly HistoryEvent[], { consumer, volume }: VolumePlaces): SeenMount[] {
  const inPod = whereOf(consumer);
  const targetPath = `/kubernetes.io~csi/${volume}/mount`;
  const ours = (where: string, { mountPoint, fstype }: { readonly mountPoint: string; readonly fstype: string }) =>
    fstype.startsWith('fuse') &&
    (where === 'node' ? mountPoint.endsWith(targetPath) : where === inPod && mountPoint === consumer.path);
  return history.flatMap((event): SeenMount[] => {
    if (event.kind === 'mount' && event.change === 'added' && ours(event.where, event)) {
      const { at, where, mountPoint, options, readOnlySuperblock = false } = event;
      return [
        {
          at,
          where,
          mountPoint,
          options,
          readOnly: options.split(',').includes('ro') || readOnlySuperblock,
          made: true,
        },
      ];
    }
    if (event.kind !== 'snapshot') return [];
    const { at, where } = event;
    return event.lines.flatMap((text) => {
      const mount = parseMountLine(text);
      if (mount === undefined || !ours(where, mount)) return [];
      const { mountPoint, options } = mount;
      return [{ at, where, mountPoint, options: options.join(), readOnly: isReadOnly(mount), made: false }];
    });
  });
}

/** Whether anybody recorded the mount table of a place at all: without that, no mount seen means nothing. */
export const isTableKnown = (history: readonly HistoryEvent[], where: string) =>
  history.some((event) => (event.kind === 'mount' || event.kind === 'snapshot') && event.where === where);
