// A controller as other projects write them, with controller-runtime: leader election, informers, a reconciler that applies and patches.
// It prints what it saw as one JSON object, and ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	namespace = "default"
	owner     = "controller-test"
)

type seen struct {
	Leader     bool     `json:"leader"`
	Reconciled []string `json:"reconciled"`
	Applied    string   `json:"applied"`
	Removed    bool     `json:"removed"`
	Conflict   string   `json:"conflict"`
	Phase      string   `json:"phase"`
	Paged      int      `json:"paged"`
	Pods       []string `json:"pods"`
	Deleted    bool     `json:"deleted"`
	Version    string   `json:"version"`
}

func main() {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	result, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(1)
	}
}

func dataset(name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion("data.fluid.io/v1alpha1")
	object.SetKind("Dataset")
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

func run(ctx context.Context) (*seen, error) {
	result := &seen{}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	// Otherwise built-in kinds are written in protobuf, which the stand-in does not read.
	config.ContentType = "application/json"
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		LeaderElection:          true,
		LeaderElectionID:        owner,
		LeaderElectionNamespace: namespace,
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}: {Field: fields.OneTermEqualSelector("spec.nodeName", "here")},
		}},
	})
	if err != nil {
		return nil, err
	}
	reconciled := make(chan string, 100)
	reconciler := func(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
		object := dataset(request.Name)
		if err := manager.GetClient().Get(ctx, request.NamespacedName, object); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
		phase, _, _ := unstructured.NestedString(object.Object, "status", "phase")
		if phase == "Seen" {
			reconciled <- request.Name
			return ctrl.Result{}, nil
		}
		before := object.DeepCopy()
		if err := unstructured.SetNestedField(object.Object, "Seen", "status", "phase"); err != nil {
			return ctrl.Result{}, err
		}
		return ctrl.Result{}, manager.GetClient().Status().Patch(ctx, object, client.MergeFrom(before))
	}
	err = ctrl.NewControllerManagedBy(manager).
		For(dataset("")).
		Complete(reconcile.Func(reconciler))
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(running) }()
	select {
	case <-manager.Elected():
		result.Leader = true
	case err := <-ended:
		return nil, err
	case <-ctx.Done():
		return nil, errors.New("no leader in time")
	}
	discover, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	version, err := discover.ServerVersion()
	if err != nil {
		return nil, err
	}
	result.Version = version.GitVersion
	if err := manageDatasets(ctx, manager.GetClient(), reconciled, result); err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	if err := applyConfig(ctx, manager.GetClient(), result); err != nil {
		return nil, fmt.Errorf("apply: %w", err)
	}
	if err := listPods(ctx, manager, result); err != nil {
		return nil, fmt.Errorf("pods: %w", err)
	}
	stop()
	return result, <-ended
}

// The reconciler sees each Dataset, and the cache what the reconciler wrote.
func manageDatasets(ctx context.Context, c client.Client, reconciled <-chan string, result *seen) error {
	names := []string{"first", "second"}
	for _, name := range names {
		object := dataset(name)
		if err := unstructured.SetNestedSlice(object.Object, []any{}, "spec", "mounts"); err != nil {
			return err
		}
		if err := c.Create(ctx, object); err != nil {
			return err
		}
	}
	found := map[string]bool{}
	for len(found) < len(names) {
		select {
		case name := <-reconciled:
			found[name] = true
		case <-ctx.Done():
			return errors.New("not reconciled in time")
		}
	}
	for _, name := range names {
		if found[name] {
			result.Reconciled = append(result.Reconciled, name)
		}
	}
	object := dataset("first")
	if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	result.Phase, _, _ = unstructured.NestedString(object.Object, "status", "phase")
	if err := c.DeleteAllOf(ctx, dataset(""), client.InNamespace(namespace)); err != nil {
		return err
	}
	for ctx.Err() == nil {
		err := c.Get(ctx, types.NamespacedName{Namespace: namespace, Name: "first"}, dataset(""))
		if apierrors.IsNotFound(err) {
			result.Deleted = true
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the cache still has a deleted object")
}

// Server-side apply: owned fields are merged, those left out are removed, and another owner's are a conflict unless it is forced.
func applyConfig(ctx context.Context, c client.Client, result *seen) error {
	apply := func(manager string, data map[string]any, options ...client.ApplyOption) (*unstructured.Unstructured, error) {
		object := &unstructured.Unstructured{Object: map[string]any{"data": data}}
		object.SetAPIVersion("v1")
		object.SetKind("ConfigMap")
		object.SetNamespace(namespace)
		object.SetName("applied")
		options = append(options, client.FieldOwner(manager))
		return object, c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), options...)
	}
	if _, err := apply(owner, map[string]any{"a": "1", "b": "2"}); err != nil {
		return err
	}
	after, err := apply(owner, map[string]any{"a": "3"})
	if err != nil {
		return err
	}
	data, _, _ := unstructured.NestedStringMap(after.Object, "data")
	_, kept := data["b"]
	result.Applied, result.Removed = data["a"], !kept
	_, err = apply("another", map[string]any{"a": "4"})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("another owner's field: %v", err)
	}
	result.Conflict = err.Error()
	forced, err := apply("another", map[string]any{"a": "4"}, client.ForceOwnership)
	if err != nil {
		return err
	}
	data, _, _ = unstructured.NestedStringMap(forced.Object, "data")
	result.Applied += data["a"]
	return nil
}

// Informers with a field selector, and lists in pages.
func listPods(ctx context.Context, manager ctrl.Manager, result *seen) error {
	for index, node := range []string{"here", "there", "here", "there", "here"} {
		pod := &corev1.Pod{}
		pod.Name = fmt.Sprintf("pod-%d", index)
		pod.Namespace = namespace
		pod.Spec.NodeName = node
		pod.Spec.Containers = []corev1.Container{{Name: "main", Image: "nginx"}}
		if err := manager.GetClient().Create(ctx, pod); err != nil {
			return err
		}
	}
	token := ""
	for {
		page := &corev1.PodList{}
		if err := manager.GetAPIReader().List(ctx, page, client.InNamespace(namespace), client.Limit(2), client.Continue(token)); err != nil {
			return err
		}
		result.Paged += len(page.Items)
		if token = page.Continue; token == "" {
			break
		}
	}
	for ctx.Err() == nil {
		pods := &corev1.PodList{}
		if err := manager.GetCache().List(ctx, pods, client.InNamespace(namespace)); err != nil {
			return err
		}
		result.Pods = nil
		for _, pod := range pods.Items {
			result.Pods = append(result.Pods, pod.Name)
		}
		if len(result.Pods) == 3 {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the cache does not have the pods of the node")
}
