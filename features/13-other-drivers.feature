@driver
Feature: Drivers of any shape
  A driver is judged by the class of recovery that its profile promises, on a volume that its profile describes.

  Rule: If only a new pod has data again, a running pod stays broken as documented

    @class:publish @class:none @waits
    Scenario: a pod whose FUSE process died stays broken, and a new pod reads
      Given pod "demo-app" reads a volume of the profile at /data
      When the FUSE process of the volume is killed
      Then the pod sees "Transport endpoint is not connected" and no other error
      And the pod stays broken
      And a new pod "new-app" of the volume reads the same files

    @class:publish @class:none
    Scenario: a pod whose volume is dead can be deleted
      Given pod "demo-app" reads a volume of the profile at /data
      And the FUSE process of the volume is killed
      And the pod sees errors
      When the pod is deleted
      Then every application pod is gone in time, and nothing is left of it

  Rule: If a running pod has its data again, it saw the errors of a dead connection only

    @class:rebind @class:enter @class:propagate
    Scenario: a pod whose FUSE process died reads again
      Given pod "demo-app" reads a volume of the profile at /data
      When the FUSE process of the volume is killed
      Then the pod reads its volume again within the budget, and was not restarted

    @class:propagate @waits
    Scenario: a pod without mount propagation stays broken
      Given pod "demo-app" without mount propagation reads a volume of the profile at /data
      When the FUSE process of the volume is killed
      Then the pod stays broken

  Rule: If a running pod waits for its data, it sees no error

    @class:descriptor @class:automount
    Scenario: a pod whose FUSE process died waits, and no operation fails
      Given pod "demo-app" reads a volume of the profile at /data
      When the FUSE process of the volume is killed
      Then no operation fails, and none waits longer than the budget

  Rule: What was acknowledged to a program is not lost

    @promises:durable-writes
    Scenario: files whose fsync was acknowledged are there after the FUSE process died
      Given pod "demo-app" reads a volume of the profile at /data
      And a program in the pod that writes files, and calls fsync for each
      When the FUSE process of the volume is killed
      Then the pod sees what the class of the profile promises
      And a new pod "new-app" of the volume reads every file that was acknowledged, and none was written beneath the mount

  Rule: A pod that mounts a directory of the volume sees what any pod sees

    @promises:sub-path
    Scenario: a pod of a directory whose FUSE process died sees what the class promises
      Given pod "demo-app" reads the directory "part" of a volume of the profile at /data
      When the FUSE process of the volume is killed
      Then the pod sees what the class of the profile promises
      And a new pod "new-app" reads the same directory

  Rule: The node plugin may be restarted at any time

    @class:publish @class:none @process:in-plugin @waits
    Scenario: FUSE processes end with the node plugin, and a new pod reads
      Given pod "demo-app" reads a volume of the profile at /data
      When the node plugin is killed
      Then the pod sees "Transport endpoint is not connected" and no other error
      And the pod stays broken
      And a new pod "new-app" of the volume reads the same files

    @process:apart
    Scenario: pods read on while the node plugin is restarted
      Given pod "demo-app" reads a volume of the profile at /data
      When the node plugin is killed
      Then the pod reads on, and saw no error
      And a new pod "new-app" of the volume reads the same files
