@fallback @needs:agent-flags
Feature: Fallback
  A pod that may not be recovered can ask for a restart of its container or for an eviction. The document knows neither, and both are
  off by default.

  Rule: A pod gets what it asks for once its daemon serves

    @F1 @fault:sigkill @waits @promises:no-read-write
    Scenario: a pod of a read-write dataset asks for an eviction, and its controller creates it anew
      Given FUSE recovery is enabled, and pods may ask for a fallback
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" of a controller, which asks for "evict", reads "scratch-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod is evicted, and the one that its controller creates reads the same files
      And an event on the pod has the reason "FuseFallbackEvicted"

    @F1 @fault:sigkill @waits
    Scenario: a pod without the label asks for a restart, and its next container reads
      Given FUSE recovery is enabled, and pods may ask for a fallback
      And pod "demo-app" without the label, which asks for "restart-container", reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then its container is restarted once, and reads the same files
      And an event on the pod has the reason "FuseFallbackRestarted"

    @F1 @fault:sigkill @waits @promises:no-read-write
    Scenario: an eviction waits for the pod's disruption budget
      Given FUSE recovery is enabled, and pods may ask for a fallback
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" of a controller, which asks for "evict", reads "scratch-dataset" at /data
      And a PodDisruptionBudget that allows no eviction of the pod
      When the FUSE daemon is killed from the node
      Then an event on the pod has the reason "FuseFallbackEvictPostponed"
      And the pod is still there
      When the PodDisruptionBudget is deleted
      Then the pod is evicted, and the one that its controller creates reads the same files

  Rule: Nothing is done for a pod that does not ask, or that would not come back

    @F2 @fault:sigkill @waits @promises:no-read-write
    Scenario: a pod that does not ask is left alone
      Given FUSE recovery is enabled, and pods may ask for a fallback
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" of a controller, which asks for nothing, reads "scratch-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod is left as it is

    @F2 @fault:sigkill @waits @promises:no-read-write
    Scenario: a pod without a controller is not evicted, and an event says why
      Given FUSE recovery is enabled, and pods may ask for a fallback
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" without a controller, which asks for "evict", reads "scratch-dataset" at /data
      When the FUSE daemon is killed from the node
      Then an event on the pod has the reason "FuseFallbackEvictRefused"
      And the pod is left as it is

    @F2 @L4 @fault:sigkill @waits @promises:no-read-write
    Scenario: nothing is evicted while no daemon serves
      Given FUSE recovery is enabled, and pods may ask for a fallback
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" of a controller, which asks for "evict", reads "scratch-dataset" at /data
      When the FUSE daemon dies and does not come back
      Then the pod is left as it is
      When the daemon is started again
      Then the pod is evicted, and the one that its controller creates reads the same files

    @F2 @fault:sigkill @waits @promises:no-read-write
    Scenario: by default no pod is evicted, whatever it asks for
      Given FUSE recovery is enabled
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" of a controller, which asks for "evict", reads "scratch-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod is left as it is
