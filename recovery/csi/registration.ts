import { join } from 'node:path';
import { Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { driverName } from '../engine/model.ts';
import { loadServices } from './definitions.ts';
import registration from './registration.json' with { type: 'json' };
import { type GrpcServer, listenOn } from './socket.ts';

/** The kubelet's response to the registration. */
export type RegistrationStatus =
  | { readonly registered: true }
  /** The error is the kubelet's message. The kubelet retries by itself. */
  | { readonly registered: false; readonly error: string };

export interface RegistrationOptions {
  /** Name of the driver. By default ours. */
  readonly driver?: string;
  /** Path of the kubelet's `plugins_registry` in this process's mount namespace. */
  readonly directory: string;
  /** Path of the CSI socket in the kubelet's mount namespace. */
  readonly endpoint: string;
  readonly onStatus: (status: RegistrationStatus) => void;
}

/** CSI versions of the driver. The kubelet requires its own major version among them. */
const csiVersions = ['1.0.0'];

/**
 * Registers the driver with the kubelet, which watches the directory and calls each socket in it. Replaces the sidecar
 * `node-driver-registrar`. The CSI socket must be served before. Disposal removes the socket, which unregisters the driver.
 */
export async function serveRegistration({
  driver: name = driverName,
  directory,
  endpoint,
  onStatus,
}: RegistrationOptions): Promise<GrpcServer> {
  const server = new Server();
  server.addService(registrationService(), {
    GetInfo(_call: unknown, reply: sendUnaryData<object>) {
      reply(null, { type: 'CSIPlugin', name, endpoint, supportedVersions: csiVersions });
    },
    NotifyRegistrationStatus(
      { request }: ServerUnaryCall<{ pluginRegistered: boolean; error: string }, object>,
      reply: sendUnaryData<object>,
    ) {
      onStatus(
        request.pluginRegistered
          ? { registered: true }
          : { registered: false, error: request.error || 'no reason given' },
      );
      reply(null, {});
    },
  });
  return await listenOn(server, join(directory, `${name}-reg.sock`));
}

/** The Registration service of the kubelet's definition. */
export function registrationService() {
  return loadServices(registration, 'pluginregistration', ['Registration']).Registration;
}
