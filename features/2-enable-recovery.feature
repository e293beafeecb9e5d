Feature: Step 1: enable recovery of FUSE mounts
  The feature gate FuseRecovery of the node plugin is off by default.

  @E1 @fault:sigkill
  Scenario: with the gate off a crash stays a crash
    Given FUSE recovery is disabled, as it is by default
    And pod "demo-app" reads "demo-dataset" at /data
    When the FUSE daemon is killed from the node
    Then nobody is recovered, by the limit "E1"

  @E2 @E3 @needs:kubectl
  Scenario: the documented commands turn the gate on and show it
    Given FUSE recovery is disabled, as it is by default
    When the documented command turns the gate on
    Then the documented command shows "- --feature-gates=FuseRecovery=true"
