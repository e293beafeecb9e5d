import type { Volume } from '../../engine/model.ts';

/** A volume of the dataset `default/demo` for tests without mounts. */
export const volume: Volume = {
  name: 'default-demo',
  handle: 'default-demo',
  dataset: { namespace: 'default', name: 'demo' },
  sources: ['/runtime-mnt/x'],
  subdirectory: '',
  accessModes: ['ReadOnlyMany'],
};
