import { expect, test } from 'vitest';
import { bucketUrl, parseDatasetBuckets } from './stores.ts';

const dataset = {
  metadata: { name: 'demo', namespace: 'default' },
  spec: {
    mounts: [
      {
        mountPoint: 'oss://bucket/dir',
        options: { 'fs.oss.endpoint': 'oss-cn-beijing.aliyuncs.com' },
        encryptOptions: [
          { name: 'fs.oss.accessKeyId', valueFrom: { secretKeyRef: { name: 'mysecret', key: 'id' } } },
          { name: 'fs.oss.accessKeySecret' },
        ],
      },
      { mountPoint: 'pvc://claim' },
    ],
  },
};

test('a dataset says where its data is and which Secret has the keys; what is no object storage is left out', () => {
  expect(parseDatasetBuckets(dataset)).toEqual([
    {
      source: 'dataset default/demo',
      namespace: 'default',
      endpoint: 'oss-cn-beijing.aliyuncs.com',
      bucket: 'bucket',
      secrets: new Map([['fs.oss.accessKeyId', { name: 'mysecret', key: 'id' }]]),
    },
  ]);
  expect(parseDatasetBuckets({})).toEqual([]);
});

test('OSS is asked by the host of the bucket, anything else in path style and signed', () => {
  const keys = { accessKeyId: 'AKID', accessKeySecret: 'very-secret' };
  expect(bucketUrl({ source: '', endpoint: 'oss-cn-beijing.aliyuncs.com', bucket: 'b', keys })).toBe(
    'https://b.oss-cn-beijing.aliyuncs.com/',
  );
  expect(bucketUrl({ source: '', endpoint: 'http://minio:9000', bucket: 'b' })).toBe('http://minio:9000/b');
  const signed = new URL(bucketUrl({ source: '', endpoint: 'http://minio:9000', bucket: 'b', keys }));
  expect(`${signed.origin}${signed.pathname}`).toBe('http://minio:9000/b');
  expect(signed.searchParams.get('X-Amz-Credential')).toMatch(/^AKID\//);
  expect(signed.searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
  expect(signed.href).not.toContain('very-secret');
});
