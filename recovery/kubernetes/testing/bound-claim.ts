/** The source mount of the dataset `default/demo`, with Fluid's naming. */
export const source = '/runtime-mnt/jindo/default/demo/jindofs-fuse';

/** The PersistentVolume of `default/demo`. `spec` and `attributes` override fields. */
export function volumeObject(spec: object = {}, attributes: object = {}) {
  return {
    metadata: { name: 'default-demo' },
    spec: {
      accessModes: ['ReadOnlyMany'],
      claimRef: { namespace: 'default', name: 'demo' },
      csi: {
        driver: 'fuse.csi.fluid.io',
        volumeHandle: 'default-demo',
        volumeAttributes: { fluid_path: source, mount_type: 'jindo', ...attributes },
      },
      ...spec,
    },
  };
}

/** The claim that is bound to it. */
export const claimObject = {
  metadata: { namespace: 'default', name: 'demo' },
  spec: { volumeName: 'default-demo' },
};
