import type { NodeCondition } from './condition.ts';

export const slowListing: NodeCondition = {
  name: 'slow-listing',
  title: 'a listing of a directory of any dataset takes 3 s, as with a bucket of many objects',
  reports: ['seaweedfs-csi-driver#295', 'blob-csi-driver#2573', 'cloudfuse#81', 'gcsfuse#349'],
  differences: { daemon: { delayMs: { readdir: 3000 }, parallelListing: true }, probeReadsOnly: true },
};

export const unreadableFile: NodeCondition = {
  name: 'unreadable-file',
  title: 'the first file of every dataset cannot be read (EIO), as with an object that is archived or was damaged',
  reports: ['juicefs#5106', 's3fs-fuse#1705', 'mountpoint-s3#152'],
  differences: { daemon: { unreadable: '.archived' } },
};
