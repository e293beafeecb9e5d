@dataset @needs:fake-daemon
Feature: Recovery in a serverless environment
  Without a node plugin, a sidecar serves the dataset.

  Rule: Without a node agent, the sidecar's next daemon replaces the dead mount

    Background:
      Given no node agent runs

    @documented @V1 @P5
    Scenario: a pod with the documented label runs with a sidecar, on a virtual node
      Given the dataset "demo-dataset", whose daemon takes 1500 ms to serve
      When pod "demo-app" with the documented label and annotations of a serverless pod reads "demo-dataset" at /data
      Then "demo-app" is 2/2 Running with 0 restarts, and has a container "fluid-fuse-0"
      And it is on a node labelled "type=virtual-kubelet", and uses no volume of a CSI driver
      And the container "demo" was started once "fluid-fuse-0" served the dataset, and no sooner
      And writing to /data in the pod fails with "Read-only file system"

    @documented @P5
    Scenario: without a virtual node a pod with the documented label does not run
      Given the dataset "demo-dataset" of the document
      And no node is a virtual one
      When a serverless pod "demo-app" with the annotation is created on "demo-dataset"
      Then no node is found for pod "demo-app"

    @documented @V3 @P5 @fault:kill-1
    Scenario: the pod reads again after "kill 1" in its sidecar, and only the sidecar is restarted
      Given pod "demo-app" with the documented label and annotations of a serverless pod reads "demo-dataset" at /data
      And the documented loop runs in the pod
      When "kill 1" is run in the container "fluid-fuse-0", which takes 2500 ms to start again
      Then the loop prints the documented transcript
      And the pod reads the same files again, and was not restarted
      And the container "fluid-fuse-0" was restarted 1 time
      And at most 2 mounts stand at /data in the pod
      And no mount at /data in the pod was ever writable

    @V3 @fault:sigkill @needs:quick-restarts
    Scenario: the pod reads again after crash upon crash of its sidecar
      Given pod "demo-app" with the documented label and annotations of a serverless pod reads "demo-dataset" at /data
      When the sidecar "fluid-fuse-0" is killed 5 times, each time after the pod read again
      Then the pod reads the same files again, and was not restarted
      And at most 2 mounts stand at /data in the pod
      And no mount at /data in the pod was ever writable

    @V3 @fault:kill-1
    Scenario: a container that was started again between two crashes of the sidecar reads again, too
      Given a serverless pod "demo-app" on "demo-dataset" whose container was started again after a crash of "fluid-fuse-0"
      When "kill 1" is run in the container "fluid-fuse-0"
      Then the pod reads the same files again, from the container as it was started last
      And at most 2 mounts stand at /data in the pod

    @V3 @fault:kill-1
    Scenario: the pod of a Job reads again after "kill 1" in its sidecar
      Given serverless pod "demo-job", which is not restarted when its program ends, reads "demo-dataset" at /data
      When "kill 1" is run in the container "fluid-fuse-0"
      Then the pod reads the same files again, and was not restarted
      And the container "fluid-fuse-0" was restarted 1 time

    @V1
    Scenario: the pod of a Job ends with its program, and its sidecar afterwards
      Given serverless pod "demo-job", which is not restarted when its program ends, reads "demo-dataset" at /data
      When the program of the pod ends
      Then the pod has succeeded, and "fluid-fuse-0" ended last

    @documented @V2 @fault:kill-1 @waits
    Scenario: without the annotation nothing is recovered
      Given pod "demo-app" with the documented label alone reads "demo-dataset" at /data
      When "kill 1" is run in the container "fluid-fuse-0"
      Then the pod is not recovered

  Rule: The annotation is accepted only for pods that can be recovered

    @V2 @L2 @promises:no-read-write @promises:explanations
    Scenario: on a pod of a read-write dataset it is answered with a warning
      Given a read-write dataset "scratch-dataset"
      When a serverless pod "demo-app" with the annotation is created on "scratch-dataset"
      Then it is created with a warning that names "ReadOnlyMany"

    @V2 @L3 @promises:no-sub-path @promises:explanations
    Scenario: on a pod that mounts a directory of the dataset it is refused
      Given the dataset "demo-dataset" with a directory "logs"
      When a serverless pod "demo-app" with the annotation is created that mounts directory "logs" of "demo-dataset"
      Then it is denied with a sentence that names container "demo", volume "data-vol", subPath and what to change

    @documented @V2 @fault:sigkill @waits
    Scenario: on an ordinary pod it changes nothing
      Given FUSE recovery is enabled
      And an ordinary pod "demo-app" with the annotation of serverless pods reads "demo-dataset" at /data
      And "demo-app" is 1/1 Running with 0 restarts
      When the FUSE daemon is killed from the node
      Then the pod is not recovered
