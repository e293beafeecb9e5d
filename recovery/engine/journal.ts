import type { Diagnosis, Failure, MountSite, Skip, SourceState, Trigger } from './model.ts';
import { siteKey } from './mount-sites.ts';
import type { Recorder } from './ports.ts';

export interface SourceNotice {
  readonly trigger: Trigger;
  readonly volume: string;
  readonly source: SourceState;
}

/**
 * Passes decisions to the recorder, but repeats neither a source's state nor a refusal or failure with the same reason at the
 * same site over the same dead mount. A crash changes the mount or the state, so each crash is reported.
 */
export interface Journal {
  noticed(notice: SourceNotice): void;
  aborted(notice: SourceNotice): void;
  skipped(skip: Skip): void;
  failed(diagnosis: Pick<Diagnosis, 'volume' | 'site' | 'stack'>, failure: Failure): void;
  /** Forgets the reports about all other sites of a volume. */
  retain(volume: string, sites: readonly MountSite[]): void;
  /** Forgets a volume. */
  forget(volume: string): void;
}

export function createJournal(recorder: Recorder): Journal {
  const sites = new Map<string, Map<string, string>>();
  const sources = new Map<string, Map<string, string>>();

  return {
    noticed({ trigger, volume, source }) {
      if (isNew(sources, volume, source.path, sourceText(source))) {
        recorder({ event: 'noticed', trigger, volume, source });
      }
    },
    aborted({ trigger, volume, source }) {
      recorder({ event: 'noticed', trigger, volume, source, aborted: true });
    },
    skipped({ diagnosis, reason, detail }) {
      const { volume, site, stack } = diagnosis;
      if (isNew(sites, volume.name, siteKey(site), `${reason} ${stack.at(-1)?.device}`)) {
        recorder({ event: 'skipped', volume, site, reason, detail });
      }
    },
    failed({ volume, site, stack }, failure) {
      const { errno, step } = failure;
      if (isNew(sites, volume.name, siteKey(site), `${errno} ${step} ${stack.at(-1)?.device}`)) {
        recorder({ event: 'failed', volume, site, failure });
      }
    },
    retain(volume, retained) {
      const keys = new Set(retained.map(siteKey));
      const reported = sites.get(volume);
      for (const key of reported?.keys() ?? []) if (!keys.has(key)) reported?.delete(key);
    },
    forget(volume) {
      sites.delete(volume);
      sources.delete(volume);
    },
  };
}

function isNew(reported: Map<string, Map<string, string>>, volume: string, key: string, text: string): boolean {
  const ofVolume = reported.get(volume) ?? new Map<string, string>();
  reported.set(volume, ofVolume);
  if (ofVolume.get(key) === text) return false;
  ofVolume.set(key, text);
  return true;
}

const sourceText = (source: SourceState) =>
  `${source.state} ${source.state === 'absent' ? '' : source.device} ${source.state === 'dead' ? source.errno : ''}`;
