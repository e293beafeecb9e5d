export { type DeployPlacement, deploy } from './deploy.ts';
export { CannotDeploy } from './errors.ts';
export { toYaml } from './kustomize.ts';
export { besideManifests, manifests } from './manifests.ts';
export { defaultOptions, names } from './options.ts';
export { removeDeployment } from './remove.ts';
export { renderStandbys, setStandbys } from './standby.ts';
