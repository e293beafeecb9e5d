import { join } from 'node:path';
import { Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { driverName } from '../identity.ts';
import { servicesOf } from '../services.ts';
import { type GrpcServer, listenOn } from '../socket.ts';
import registration from './registration.json' with { type: 'json' };

/** What the kubelet said of the registration. */
export type RegistrationStatus =
  | { readonly registered: true }
  /** In the kubelet's words. It tries again by itself. */
  | { readonly registered: false; readonly error: string };

export interface RegistrationOptions {
  /** The kubelet's `plugins_registry` as this process sees it. */
  readonly directory: string;
  /** Path of the CSI socket as the kubelet sees it. */
  readonly endpoint: string;
  readonly onStatus: (status: RegistrationStatus) => void;
}

/** Versions of CSI that the driver speaks; the kubelet wants to see its own major. */
const csiVersions = ['1.0.0'];

/**
 * Registers the driver with the kubelet, which watches the directory and calls each socket in it: what the sidecar
 * `node-driver-registrar` does for drivers that do not do it themselves. The CSI socket has to be served before; the driver is
 * unregistered when the socket goes, at disposal.
 */
export async function serveRegistration({ directory, endpoint, onStatus }: RegistrationOptions): Promise<GrpcServer> {
  const server = new Server();
  server.addService(registrationService(), {
    GetInfo(_call: unknown, answer: sendUnaryData<object>) {
      answer(null, { type: 'CSIPlugin', name: driverName, endpoint, supportedVersions: csiVersions });
    },
    NotifyRegistrationStatus(
      { request }: ServerUnaryCall<{ pluginRegistered: boolean; error: string }, object>,
      answer: sendUnaryData<object>,
    ) {
      onStatus(
        request.pluginRegistered ? { registered: true } : { registered: false, error: request.error || 'no reason' },
      );
      answer(null, {});
    },
  });
  return await listenOn(server, join(directory, `${driverName}-reg.sock`));
}

/** The kubelet's definition. */
export function registrationService() {
  return servicesOf(registration, 'pluginregistration', ['Registration']).Registration;
}
