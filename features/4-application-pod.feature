@dataset
Feature: Step 3: create an application pod that mounts the dataset
  The label fuse.serverful.fluid.io/inject=true turns recovery on for the pod.

  @documented @A1 @fault:sigkill
  Scenario: a labelled pod runs, and is recovered
    Given FUSE recovery is enabled
    And pod "demo-app" reads "demo-dataset" at /data
    And "demo-app" is 1/1 Running with 0 restarts
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And the outage is reported by phase, within the profile's budget
    And every claim of a recovery is true

  @documented @A2 @fault:sigkill @waits
  Scenario: a pod without the label is not recovered, and no event claims that it was
    Given FUSE recovery is enabled
    And pod "demo-app" without the label reads "demo-dataset" at /data
    When the FUSE daemon is killed from the node
    Then the pod is not recovered

  @A1 @fault:sigkill @needs:real-kubelet
  Scenario: a pod that is not root reads again as its own user
    Given FUSE recovery is enabled
    And pod "demo-app", which runs as user 1000, reads "demo-dataset" at /data
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And every claim of a recovery is true

  @A1 @fault:sigkill @needs:idmapped-fuse @needs:fake-daemon
  Scenario: a pod with users of its own reads again
    Given FUSE recovery is enabled
    And the dataset "demo-dataset", whose daemon allows its mounts to be idmapped
    And pod "demo-app" with "hostUsers: false" reads "demo-dataset" at /data
    And the mount at /data in the pod is idmapped
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And the mount at /data in the pod is idmapped
    And every claim of a recovery is true

  Rule: Only the value "true" of the label turns recovery on

    @A2 @fault:sigkill @waits
    Scenario: a label with another value asks for nothing
      Given FUSE recovery is enabled
      And pod "demo-app" with the label set to "false" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod is not recovered

    @A1 @A2 @fault:sigkill @class:enter @waits
    Scenario: the label is added to a running pod that is broken
      Given FUSE recovery is enabled
      And pod "demo-app" without the label reads "demo-dataset" at /data
      And the FUSE daemon is killed from the node
      And the pod is not recovered
      When the pod is given the label
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
