import { fileURLToPath } from 'node:url';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export type ServiceName = 'Identity' | 'Node' | 'Controller';

/** Loads the published CSI definition, which lies beside this file and beside the bundle too. */
export function loadServices(): Readonly<Record<ServiceName, ServiceClientConstructor>> {
  const definition = loadSync(fileURLToPath(new URL('./csi.proto', import.meta.url)), {
    keepCase: false,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { Identity, Node, Controller } = (loadPackageDefinition(definition).csi as GrpcObject).v1 as Readonly<
    Record<ServiceName, ServiceClientConstructor>
  >;
  return { Identity, Node, Controller };
}
