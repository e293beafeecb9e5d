@dataset
Feature: Step 1: enable recovery of FUSE mounts
  The feature gate FuseRecovery of the node plugin is off by default.

  @documented @E1 @fault:sigkill @waits
  Scenario: with the gate off a crash stays a crash
    Given FUSE recovery is as it is by default, without the gate's flag
    And pod "demo-app" reads "demo-dataset" at /data
    When the FUSE daemon is killed from the node
    Then nobody is recovered

  @documented @E2 @E3 @needs:kubectl
  Scenario: the documented commands turn the gate on and show it
    Given FUSE recovery is turned off
    When the documented command turns the gate on, and prints "daemonset.apps/csi-nodeplugin-fluid configured"
    Then the documented command shows "- --feature-gates=FuseRecovery=true"

  @documented @E1 @E2 @fault:sigkill @needs:kubectl
  Scenario: after the documented command a crash is recovered
    Given FUSE recovery is turned off
    And pod "demo-app" reads "demo-dataset" at /data
    And the documented command turns the gate on, and prints "daemonset.apps/csi-nodeplugin-fluid configured"
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted

  @E2 @needs:kubectl
  Scenario: the documented command changes nothing if the gate is on
    Given FUSE recovery is turned off
    And the documented command turns the gate on, and prints "daemonset.apps/csi-nodeplugin-fluid configured"
    When the documented command is run once more
    Then the node plugin is as it was

  Rule: The gate decides at every moment

    @E1 @fault:sigkill @waits
    Scenario: the gate is turned on while a pod is broken
      Given FUSE recovery is turned off
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
