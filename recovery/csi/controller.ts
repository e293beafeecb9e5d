import type { CreateVolumeRequest, CreateVolumeResponse, DeleteVolumeRequest, Empty } from './messages.ts';
import { type Answer, answered, refused } from './status.ts';

/** As much of the CSI Controller service as the conformance suite for node plugins asks for. */
export interface ControllerService {
  createVolume(request: CreateVolumeRequest): Promise<Answer<CreateVolumeResponse>>;
  deleteVolume(request: DeleteVolumeRequest): Promise<Answer<Empty>>;
}

/** Echoes what it is given: Fluid's controllers make the PersistentVolumes, and nothing is kept here. */
export function createControllerService(): ControllerService {
  return {
    async createVolume({ name, volumeCapabilities, parameters, capacityRange }) {
      if (name === '') return refused('INVALID_ARGUMENT', 'CreateVolume: name is not set');
      if (volumeCapabilities.length === 0) {
        return refused('INVALID_ARGUMENT', 'CreateVolume: volume_capabilities is not set');
      }
      return answered({
        volume: { volumeId: name, capacityBytes: capacityRange?.requiredBytes ?? 0, volumeContext: parameters },
      });
    },
    async deleteVolume({ volumeId }) {
      return volumeId === '' ? refused('INVALID_ARGUMENT', 'DeleteVolume: volume_id is not set') : answered({});
    },
  };
}
