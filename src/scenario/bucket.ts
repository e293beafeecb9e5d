import aws4 from 'aws4';
import type { RunningCluster } from '../../clusters/cluster.ts';
import { concluded, fail, pass } from '../checks/finding.ts';
import type { CheckRecord } from '../timeline/record.ts';

/** The object store answers, has the bucket, and opens it to the run's credentials only. */
export async function bucketIsThere(cluster: RunningCluster): Promise<CheckRecord> {
  const title = { name: 'object storage is enabled and the bucket exists', claims: ['P4'] };
  const { store } = cluster;
  const answers = {
    bucket: await statusOf(cluster, store.bucket, store.accessKeySecret),
    otherBucket: await statusOf(cluster, `not-${store.bucket}`, store.accessKeySecret),
    otherKey: await statusOf(cluster, store.bucket, 'another-key'),
  };
  const said = `${store.bucket} answered ${answers.bucket}, a bucket that is not there ${answers.otherBucket}, another key ${answers.otherKey}`;
  const isRight = answers.bucket === 200 && answers.otherBucket === 404 && answers.otherKey === 403;
  return concluded(title, isRight ? pass(said) : fail(said));
}

/** Of a request for the bucket's list (S3 ListObjectsV2). */
async function statusOf(cluster: RunningCluster, bucket: string, secretAccessKey: string): Promise<number> {
  const { endpoint, accessKeyId } = cluster.store;
  const { host } = new URL(endpoint);
  const path = `/${bucket}?list-type=2&max-keys=1`;
  const { headers = {} } = aws4.sign(
    { host, path, service: 's3', region: 'us-east-1' },
    { accessKeyId, secretAccessKey },
  );
  const { Host: _, ...own } = headers as Record<string, string>;
  return cluster.askStore(path, own);
}
