import type { Decision, Diagnosis, Failure, Skip, SourceState, Trigger } from './model.ts';
import { siteKey } from './places.ts';
import type { Recorder } from './ports.ts';

/**
 * Hands decisions on to the recorder, each refusal and failure once for as long as it is the same: the same reason, at the
 * same site, over the same dead mount. A crash makes another mount or another state, so each crash is heard of.
 */
export interface Journal {
  noticed(news: { readonly trigger: Trigger; readonly volume: string; readonly source: SourceState }): void;
  aborted(news: { readonly trigger: Trigger; readonly volume: string; readonly source: SourceState }): void;
  skipped(skip: Skip): void;
  failed(diagnosis: Pick<Diagnosis, 'volume' | 'site' | 'stack'>, failure: Failure): void;
  /** The sites of a volume that are still unwell; what was said of its others is forgotten. */
  keep(volume: string, unwell: readonly Pick<Diagnosis, 'site'>[]): void;
  /** Forgets a volume that is gone. */
  forget(volume: string): void;
}

export function createJournal(record: Recorder): Journal {
  const sites = new Map<string, Map<string, string>>();
  const sources = new Map<string, Map<string, string>>();

  return {
    noticed({ trigger, volume, source }) {
      if (!isNew(sources, volume, source.path, sourceText(source))) return;
      record({ event: 'noticed', trigger, volume, source });
    },
    aborted({ trigger, volume, source }) {
      record({ event: 'noticed', trigger, volume, source, aborted: true });
    },
    skipped({ diagnosis, reason, detail }) {
      const { volume, site, stack } = diagnosis;
      if (!isNew(sites, volume.name, siteKey(site), `${reason} ${stack.at(-1)?.device}`)) return;
      record({ event: 'skipped', volume, site, reason, detail });
    },
    failed({ volume, site, stack }, failure) {
      const { errno, step } = failure;
      if (!isNew(sites, volume.name, siteKey(site), `${errno} ${step} ${stack.at(-1)?.device}`)) return;
      record({ event: 'failed', volume, site, failure } satisfies Decision);
    },
    keep(volume, unwell) {
      const kept = new Set(unwell.map(({ site }) => siteKey(site)));
      const said = sites.get(volume);
      for (const key of said?.keys() ?? []) if (!kept.has(key)) said?.delete(key);
    },
    forget(volume) {
      sites.delete(volume);
      sources.delete(volume);
    },
  };
}

function isNew(said: Map<string, Map<string, string>>, volume: string, key: string, text: string): boolean {
  const own = said.get(volume) ?? new Map<string, string>();
  said.set(volume, own);
  if (own.get(key) === text) return false;
  own.set(key, text);
  return true;
}

const sourceText = (source: SourceState) =>
  `${source.state} ${source.state === 'absent' ? '' : source.device} ${source.state === 'dead' ? source.errno : ''}`;
