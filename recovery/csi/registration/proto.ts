import { fileURLToPath } from 'node:url';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Loads the kubelet's definition, which lies beside this file and beside the bundle too. */
export function loadRegistration(): ServiceClientConstructor {
  const definition = loadSync(fileURLToPath(new URL('./registration.proto', import.meta.url)), {
    keepCase: false,
    defaults: true,
  });
  const { Registration } = loadPackageDefinition(definition).pluginregistration as GrpcObject;
  return Registration as ServiceClientConstructor;
}
