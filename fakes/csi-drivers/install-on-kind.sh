#!/bin/sh
# install-on-kind.sh CLUSTER [KUBECONFIG]: installs the small drivers on a cluster of kind, which needs Docker's rekindle/fuse-clients:debian12
# (clusters/kubernetes/image/fuse-clients.Dockerfile). Without a kubeconfig it only loads their image onto the nodes.
set -eu
here=$(dirname "$0")
image=rekindle/csi-drivers:dev
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
node "$here/bundle.ts" "$context"
docker build --quiet --network=none --tag "$image" --file "$here/Dockerfile" "$context"
kind load docker-image --name "$1" "$image"
[ $# -gt 1 ] || exit 0
kubectl --kubeconfig "$2" apply --filename "$here/on-kubernetes.yaml"
for workload in daemonset/children daemonset/volume-pods deployment/volume-pods-controller; do
  kubectl --kubeconfig "$2" --namespace csi-drivers rollout status --timeout=90s "$workload"
done
