@installation
Feature: Installation, upgrade and rollback
  The document knows one version and one way to install it. Here the last release is upgraded to this version, and this one rolled
  back, during an outage: each recovers what the other has published, and removing it leaves nothing. The Helm chart is as good.
  The last release does not label nodes for FUSE daemons, so that a pod is there first that this version has published.

  Rule: A pod whose volume another version has published is recovered as any other

    @C2 @C3 @L4 @fault:sigkill @needs:last-release @waits
    Scenario: the last release is upgraded while no daemon serves
      Given FUSE recovery is enabled
      And pod "first-app" reads "demo-dataset" at /data
      And the last release is deployed in place of this version
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon dies and does not come back
      And this version is deployed in place of the last release
      And the daemon is started again
      Then the pod reads the same files again, and was not restarted
      And it read within the budget once daemon and agent were ready

    @C2 @C3 @fault:sigkill @needs:last-release @waits
    Scenario: this version is rolled back, and the daemon dies meanwhile
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed while the last release is deployed in place of this version
      Then the pod reads the same files again, and was not restarted
      And it read within the budget once daemon and agent were ready
      When the pod is deleted, and the deployment is removed
      Then nothing is left of any version

  Rule: The Helm chart installs what the command deploys

    @C2 @C3 @fault:sigkill @needs:helm @waits
    Scenario: a pod is recovered by an agent that Helm installed, and uninstalling leaves nothing
      Given the Helm chart is installed in place of the deployment, with FUSE recovery on
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And it read within the budget once daemon and agent were ready
      When the pod is deleted, and the chart is uninstalled
      Then nothing is left of any version
