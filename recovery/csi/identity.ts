import { driverName } from '../engine/model.ts';
import type {
  CreateVolumeRequest,
  CreateVolumeResponse,
  DeleteVolumeRequest,
  Empty,
  PluginCapabilitiesResponse,
  PluginInfoResponse,
  ProbeResponse,
} from './messages.ts';
import { type CsiResult, rejected, succeeded } from './status.ts';

/** The CSI Identity service. */
export interface IdentityService {
  getPluginInfo(request: Empty): Promise<CsiResult<PluginInfoResponse>>;
  getPluginCapabilities(request: Empty): Promise<CsiResult<PluginCapabilitiesResponse>>;
  probe(request: Empty): Promise<CsiResult<ProbeResponse>>;
}

/** Evaluates `ready` at each Probe. Claims no capability, because Fluid's controllers create the volumes. */
export function createIdentityService({
  version,
  ready,
}: {
  readonly version: string;
  readonly ready: () => boolean;
}): IdentityService {
  return {
    getPluginInfo: async () => succeeded({ name: driverName, vendorVersion: version }),
    getPluginCapabilities: async () => succeeded({ capabilities: [] }),
    probe: async () => succeeded({ ready: { value: ready() } }),
  };
}

/** The methods of the CSI Controller service that the conformance suite calls on node plugins. */
export interface ControllerService {
  createVolume(request: CreateVolumeRequest): Promise<CsiResult<CreateVolumeResponse>>;
  deleteVolume(request: DeleteVolumeRequest): Promise<CsiResult<Empty>>;
}

/** Echoes its requests and stores nothing, because Fluid's controllers create the PersistentVolumes. */
export function createControllerService(): ControllerService {
  return {
    async createVolume({ name, volumeCapabilities, parameters, capacityRange }) {
      if (name === '') return rejected('INVALID_ARGUMENT', 'CreateVolume: name is not set');
      if (volumeCapabilities.length === 0) {
        return rejected('INVALID_ARGUMENT', 'CreateVolume: volume_capabilities is not set');
      }
      return succeeded({
        volume: { volumeId: name, capacityBytes: capacityRange?.requiredBytes ?? 0, volumeContext: parameters },
      });
    },
    async deleteVolume({ volumeId }) {
      return volumeId === '' ? rejected('INVALID_ARGUMENT', 'DeleteVolume: volume_id is not set') : succeeded({});
    },
  };
}
