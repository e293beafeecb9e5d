@dataset
Feature: Nodes as others run them
  Nodes differ, and a tenant's neighbours are not the tenant's business. Each condition is one that users have reported.

  Rule: What else is on the node does not matter

    @C3 @fault:sigkill @adversary @node:silent-neighbours
    Scenario: other FUSE mounts never answer
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @adversary @node:hung-neighbours
    Scenario: the daemons of other FUSE mounts hang
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @adversary @node:foreign-inline-volume
    Scenario: another driver's volume has the name of ours
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @adversary @node:fuse-on-top
    Scenario: the application has mounted FUSE over its volume
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @node:image-on-fuse
    Scenario: the images of containers lie on FUSE
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @node:non-fuse-source
    Scenario: another dataset has no FUSE daemon
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @adversary @node:many-descriptors
    Scenario: a process holds as many descriptors as it may
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

  Rule: A tenant neither receives, nor destroys, nor blocks what is another's

    @C3 @fault:sigkill @adversary @node:posing-tenant
    Scenario: a tenant poses as the container of another pod
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the neighbours of the node are in place
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @adversary @node:mount-flood
    Scenario: a tenant has tens of thousands of mounts
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @adversary @node:nested-container
    Scenario: a container in the container shares the volume
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the neighbours of the node are in place
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @adversary @node:nested-kubelet
    Scenario: a cluster in a pod has a volume and a pod of the same names
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the neighbours of the node are in place
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the neighbours of the node are as they were

    @C3 @fault:sigkill @adversary @node:kubelet-root-twice
    Scenario: the kubelet's directory is bound a second time
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

  Rule: The kubelet is found however it runs

    @C3 @fault:sigkill @node:kubelet-root
    Scenario: the kubelet's directory is elsewhere
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @node:kubelet-root-symlink
    Scenario: the kubelet's directory is known by a symbolic link
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @node:mount-root
    Scenario: datasets are mounted below another directory
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @node:read-only-root
    Scenario: the node's root directory is read-only
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @node:mount-path-symlink
    Scenario: the mount path is a symbolic link of the image
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:kubelet-restart @fault:sigkill @node:kubelet-namespace
    Scenario: the kubelet starts again in another mount namespace
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And the kubelet is restarted
      When the daemon is started again
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:kubelet-restart @fault:sigkill @adversary @node:second-kubelet
    Scenario: a process of a nested cluster has the kubelet's name
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And the kubelet is restarted
      When the daemon is started again
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @node:no-kubelet-process
    Scenario: no process has the kubelet's name
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @adversary @node:cgroup-v2
    Scenario: a process of a pod has the kubelet's name, and only its cgroup says so
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @node:volume-data-lost
    Scenario: the kubelet has lost its record of the volume
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

  Rule: A pod reads until it has ended

    @C3 @fault:sigkill @node:slow-termination
    Scenario: the application of a deleted pod takes its time to end
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the pod is being deleted, and has minutes to end
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And nothing is left of the pod once it has ended

  Rule: A mount is judged by its answer, not by one directory or file

    @C3 @fault:sigkill @node:slow-listing
    Scenario: directories take seconds to list
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @node:unreadable-file
    Scenario: the first file cannot be read
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

  Rule: Fluid's daemons run where the node plugin labels the node

    @D2
    Scenario: the daemon of a dataset starts on the node of the pod that uses it
      Given the dataset "demo-dataset" of the document
      And no node has its label, and none runs its daemon
      When pod "demo-app" reads "demo-dataset" at /data
      Then the node of the pod has its label, and is the only one that runs its daemon

    @D2
    Scenario: a daemon that runs on demand ends after the last pod of its node
      Given the dataset "demo-dataset", whose daemon runs on demand
      And pod "demo-app" reads "demo-dataset" at /data
      When the pod is deleted by its owner
      Then no node has its label any more, and its daemon ends
