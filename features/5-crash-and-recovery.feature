@dataset
Feature: Step 4: verify that FUSE mounts recover
  A loop lists /data every second while the FUSE daemon crashes under it.

  @documented @C1 @C2 @C3 @fault:kill-1
  Scenario: the pod reads again after "kill 1" in the FUSE pod
    Given FUSE recovery is enabled
    And pod "demo-app" reads "demo-dataset" at /data
    And the documented loop runs in the pod
    When "kill 1" is run in the FUSE pod, which takes 2500 ms to start again
    Then the loop prints the documented transcript
    And the pod reads the same files again, and was not restarted
    And the outage is reported by phase, within the profile's budget
    And every claim of a recovery is true
    And the mount tables have not grown

  @documented @A1 @C1 @C2 @C3 @D1 @D2 @fault:kill-1 @needs:real-kubelet @needs:kubectl
  Scenario: the document's commands, typed in a terminal, print what it shows
    Given FUSE recovery is enabled
    And the documented files are created with the documented commands
    And the documented command prints the pod as "demo-app 1/1 Running 0"
    And the documented loop runs in a terminal
    When the documented commands crash the FUSE pod, which takes 4000 ms to start again
    Then the loop prints the documented transcript
    And the pod reads the same files again, and was not restarted
    And every claim of a recovery is true

  @documented @C3 @fault:sigkill @needs:quick-restarts
  Scenario: the pod reads again after crash upon crash
    Given FUSE recovery is enabled
    And pod "demo-app" reads "demo-dataset" at /data
    When the FUSE daemon is killed from the node 5 times, each time after the pod read again
    Then the pod reads the same files again, and was not restarted
    And the outage is reported by phase, within the profile's budget
    And every claim of a recovery is true
    And the mount tables have not grown

  @documented @C3 @L2 @fault:two-datasets
  Scenario: two datasets crash together, and each of their pods has its own again
    Given FUSE recovery is enabled
    And the dataset "north" with files of its own
    And the dataset "south" with files of its own
    And pod "south-app" reads "south" at /data
    And pod "second-app" reads "north" at /data
    And pod "north-app" reads "north" at /data
    When the FUSE daemons of both datasets are killed at once
    Then pod "south-app" reads the files of "south" again, and was not restarted
    And pod "second-app" reads the files of "north" again, and was not restarted
    And pod "north-app" reads the files of "north" again, and was not restarted
    And the outage is reported by phase, within the profile's budget
    And no mount of the dataset was ever writable
    And the mount tables have not grown

  @documented @C3 @fault:sigkill
  Scenario: a volume that is a directory of a dataset shows that directory again
    Given FUSE recovery is enabled
    And the dataset "demo-dataset" with a directory "logs"
    And pod "sibling" reads "demo-dataset" at /data
    And pod "demo-app" reads a volume that is directory "logs" of "demo-dataset" at /data
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
