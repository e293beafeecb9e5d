import { findMinio } from './start-minio-binary.ts';
import { whyNoContainer } from './start-minio-container.ts';
import { storeContract } from './store.contract.ts';

storeContract('embedded', undefined);
storeContract(
  'minio-binary',
  findMinio(process.env.PATH) === undefined ? 'no program minio is on the PATH' : undefined,
);
storeContract('minio-container', await whyNoContainer(process.env));
