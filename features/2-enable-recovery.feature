Feature: Step 1: enable recovery of FUSE mounts
  The feature gate FuseRecovery of the node plugin is off by default.

  @documented @E1 @fault:sigkill @waits
  Scenario: with the gate off a crash stays a crash
    Given FUSE recovery is disabled, as it is by default
    And pod "demo-app" reads "demo-dataset" at /data
    When the FUSE daemon is killed from the node
    Then nobody is recovered

  @documented @E1 @E2 @E3 @fault:sigkill @needs:kubectl
  Scenario: the documented commands turn the gate on and show it
    Given FUSE recovery is disabled, as it is by default
    And pod "demo-app" reads "demo-dataset" at /data
    When the documented command turns the gate on, and prints "daemonset.apps/csi-nodeplugin-fluid configured"
    Then the documented command shows "- --feature-gates=FuseRecovery=true"
    And run once more it changes nothing
    And after a crash of the FUSE daemon the pod reads the same files again, and was not restarted

  Rule: The gate decides at every moment

    @E1 @fault:sigkill @waits
    Scenario: the gate is turned on while a pod is broken
      Given FUSE recovery is disabled, as it is by default
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon is killed from the node
      And nobody is recovered
      When FUSE recovery is turned on
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @E1 @L4 @fault:sigkill @waits
    Scenario: the gate is turned off while the daemon is down, and on again
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And FUSE recovery is turned off
      And the daemon is started again
      And nobody is recovered
      When FUSE recovery is turned on
      Then the pod reads the same files again, and was not restarted
