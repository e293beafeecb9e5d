export { CannotDeploy } from './cannot-deploy.ts';
export { deploy } from './deploy.ts';
export { toYaml } from './kustomize.ts';
export { besideManifests, manifests } from './manifests.ts';
export { names } from './names.ts';
export { defaultOptions } from './options.ts';
export { removeDeployment } from './remove.ts';
