/**
 * The provisioner as a program beside the controller of a driver in a cluster, as the sidecar `csi-provisioner` is. Flags: `--driver=NAME`,
 * `--socket=PATH`, which the controller serves.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { requiredFlags } from '../required-flags.ts';
import { startProvisioner } from './provisioner.ts';

const flags = requiredFlags(process.argv.slice(2), ['driver', 'socket']);
if (typeof flags === 'string') throw new Error(flags);
const kubeConfig = new KubeConfig();
kubeConfig.loadFromCluster();
await startProvisioner({ ...flags, kubeConfig, log: (line) => void process.stderr.write(`${line}\n`) });
process.on('SIGTERM', () => process.exit(0));
