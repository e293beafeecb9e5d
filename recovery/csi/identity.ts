import type { Empty, PluginCapabilitiesResponse, PluginInfoResponse, ProbeResponse } from './messages.ts';
import { type Answer, answered } from './status.ts';

/** The driver's name, in PersistentVolumes and in the CSIDriver object; Fluid's, so that its volumes work unchanged. */
export const driverName = 'fuse.csi.fluid.io';

/** The CSI Identity service. */
export interface IdentityService {
  getPluginInfo(request: Empty): Promise<Answer<PluginInfoResponse>>;
  getPluginCapabilities(request: Empty): Promise<Answer<PluginCapabilitiesResponse>>;
  probe(request: Empty): Promise<Answer<ProbeResponse>>;
}

/** `ready` is asked at each Probe. No capability is claimed: volumes are made by Fluid's controllers, not by this driver. */
export function createIdentityService({
  version,
  ready,
}: {
  readonly version: string;
  readonly ready: () => boolean;
}): IdentityService {
  return {
    getPluginInfo: async () => answered({ name: driverName, vendorVersion: version }),
    getPluginCapabilities: async () => answered({ capabilities: [] }),
    probe: async () => answered({ ready: { value: ready() } }),
  };
}
