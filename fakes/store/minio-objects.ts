import type { KubernetesObject } from '@kubernetes/client-node';
import { onePodDeployment } from '../one-pod-deployment.ts';
import type { Credentials } from './credentials.ts';

export interface MinioObjects {
  readonly namespace: string;
  readonly bucket: string;
  readonly credentials: Credentials;
  readonly labels: Readonly<Record<string, string>>;
  /** Has Node as `node`, and `bucketProgram`, which creates the bucket. */
  readonly image: string;
  readonly bucketProgram: string;
}

/** The last image of a maintained community release; upstream publishes no more of them. */
export const minioImage = 'minio/minio:RELEASE.2025-09-07T16-13-09Z';
export const minioName = 'minio';
export const minioPort = 9000;
const bucketPort = 9001;
const credentialsDirectory = '/etc/rekindle/credentials';

/** MinIO with one bucket: a Deployment that becomes available with the bucket, a Service, and a Secret with the credentials. */
export function minioObjects(options: MinioObjects): readonly KubernetesObject[] {
  const { namespace, bucket, credentials, labels, image, bucketProgram } = options;
  const own = { app: minioName };
  const meta = { name: minioName, namespace, labels: { ...labels, ...own } };
  const mount = { name: 'credentials', mountPath: credentialsDirectory, readOnly: true };
  const objects = [
    { apiVersion: 'v1', kind: 'Secret', metadata: meta, stringData: { ...credentials } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { selector: own, ports: [{ name: 's3', port: minioPort, targetPort: minioPort }] },
    },
    onePodDeployment({
      metadata: meta,
      selector: own,
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 2,
        containers: [
          {
            name: minioName,
            image: minioImage,
            args: ['server', '/data', `--address=:${minioPort}`],
            // From files, so that the credentials are in no process's environment.
            env: [
              { name: 'MINIO_ROOT_USER_FILE', value: `${credentialsDirectory}/accessKeyId` },
              { name: 'MINIO_ROOT_PASSWORD_FILE', value: `${credentialsDirectory}/accessKeySecret` },
            ],
            volumeMounts: [{ name: 'data', mountPath: '/data' }, mount],
          },
          {
            name: 'bucket',
            image,
            command: [
              'node',
              bucketProgram,
              `--endpoint=http://127.0.0.1:${minioPort}`,
              `--bucket=${bucket}`,
              `--credentials=${credentialsDirectory}`,
            ],
            readinessProbe: { httpGet: { path: '/readyz', port: bucketPort }, periodSeconds: 1 },
            volumeMounts: [mount],
          },
        ],
        volumes: [
          { name: 'data', emptyDir: {} },
          { name: 'credentials', secret: { secretName: minioName, defaultMode: 0o400 } },
        ],
      },
    }),
  ];
  return objects;
}
