import { findMinio } from './start-minio-binary.ts';
import { storeContract } from './store.contract.ts';

storeContract('embedded', undefined);
storeContract(
  'minio-binary',
  findMinio(process.env.PATH) === undefined ? 'no program minio is on the PATH' : undefined,
);
