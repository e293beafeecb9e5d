@dataset @faults
Feature: Ways in which a FUSE daemon is lost
  The document names one: out of memory. In each case the pod reads again once the daemon is back.

  Rule: However the daemon ends, the pod reads again without a restart

    @C2 @C3 @fault:kill-1 @needs:fake-daemon
    Scenario: "kill 1", and the daemon leaves its mount behind
      Given FUSE recovery is enabled
      And the dataset "demo-dataset", whose daemon does not unmount when it is ended
      And pod "demo-app" reads "demo-dataset" at /data
      When "kill 1" is run in the FUSE pod
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the mount tables have not grown

    @C3 @L1 @fault:oom @needs:memory-cgroups
    Scenario: out of memory
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon's memory runs out
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:abort @needs:abort-connection
    Scenario: its connection is aborted
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon's connection is aborted
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @L4 @fault:pod-delete
    Scenario: the FUSE pod is deleted
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE pod is deleted
      Then the pod reads the same files again, and was not restarted
      And the mount tables have not grown

    @C3 @L4 @fault:crash-during-recovery
    Scenario: a crash in the middle of the recovery
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon dies and dies again as soon as it is back
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the mount tables have not grown

    @C3 @L4 @L5 @fault:crash-loop @needs:quick-restarts
    Scenario: a crash loop
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon dies again and again
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the mount tables have not grown

  Rule: Faults come together, and in the middle of each other

    @C3 @fault:sigkill @fault:agent-kill @fault:hang @fault:pod-delete @fault:agent-upgrade
    Scenario Outline: faults come together: <faults>
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And <faults>
      And the pod sees errors
      When that is over
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the mount tables have not grown

      Examples:
        | faults                                                                        |
        | the node agent is killed and at once the FUSE daemon is killed from the node  |
        | the FUSE daemon hangs and at once the FUSE daemon is killed from the node     |
        | the FUSE pod is deleted and at once the node agent is ended for an upgrade    |

  Rule: A daemon that hangs is not dead

    @L4 @fault:hang @waits
    Scenario: a daemon that hangs and continues
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon hangs
      And the volume is left alone, for longer than the period of the agent
      And an event refuses the recovery because of "Hung"
      When that is over
      Then the pod reads on, and saw no error

    @C3 @L4 @fault:hang-operation @needs:fake-daemon @waits
    Scenario: one operation hangs until the daemon is killed
      Given FUSE recovery is enabled
      And the dataset "demo-dataset", whose daemon can lose an operation
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon stops answering one operation
      And the volume is left alone, for longer than the period of the agent
      When that is over
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @L4 @fault:hang @needs:agent-flags
    Scenario: a daemon that hangs, and an agent that aborts hung connections
      Given FUSE recovery is enabled
      And the node agent aborts connections that hang
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon hangs
      And the pod sees errors
      When that is over
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And until then the volume was left alone

  Rule: Nothing happens while the daemon is down

    @L4 @fault:sigkill @fault:agent-kill @waits
    Scenario: a long outage, in which the agent dies too
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And the pod sees errors
      And the node agent is killed
      And nothing is mounted for the pod and no event claims a recovery
      When the daemon is started again
      Then the pod reads the same files again, and was not restarted

    @L4 @fault:store-down @needs:store-faults @waits
    Scenario: the object store is unreachable
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" behind an object store that can fail
      And pod "demo-app" reads "demo-dataset" at /data
      And the object store is unreachable
      And the pod sees errors
      And the volume is left alone, for longer than the period of the agent
      When that is over
      Then the pod reads the same files again, from the same daemon

    @L4 @C3 @fault:store-slow @fault:sigkill @needs:store-faults @waits
    Scenario: the object store is slow, and then the daemon crashes
      Given FUSE recovery is enabled
      And the node agent aborts connections that hang
      And the dataset "demo-dataset" behind an object store that can fail
      And pod "demo-app" reads "demo-dataset" at /data
      And the object store is slow
      And the volume is left alone, for longer than the period of the agent
      And the pod reads on, and saw no error
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted

  Rule: The pod's other volumes and open files are not harmed

    @C3 @L1 @fault:volume-below @needs:fake-daemon
    Scenario: another volume inside, known to the kernel
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" with a directory "cache", whose names the kernel keeps for 3600 s
      And pod "demo-app" reads "demo-dataset" at /data and has a volume on disk at /data/cache
      When the FUSE daemon is killed under the volume inside the dataset
      Then the pod reads the same files again, and was not restarted
      And the volume at /data/cache is still there, with what was written to it
      And every claim of a recovery is true

    @C3 @L1 @fault:volume-below @needs:fake-daemon
    Scenario: another volume inside, which the kernel drops
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" with a directory "cache", whose names the kernel keeps for 0 s
      And pod "demo-app" reads "demo-dataset" at /data and has a volume in memory at /data/cache
      When the FUSE daemon is killed under the volume inside the dataset
      Then the pod reads the same files again, and was not restarted
      And the volume at /data/cache is still there, with what was written to it
      And every claim of a recovery is true

    @C3 @L1 @fault:volume-below @needs:fake-daemon
    Scenario: a directory of the node inside, which the kernel drops
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" with a directory "cache", whose names the kernel keeps for 0 s
      And pod "demo-app" reads "demo-dataset" at /data and has a volume on disk at /data/cache
      When the FUSE daemon is killed under the volume inside the dataset
      Then the pod reads the same files again, and was not restarted
      And the volume at /data/cache is still there, with what was written to it

    @C3 @L1 @fault:volume-below @needs:fake-daemon @promises:explanations @waits
    Scenario: something inside that is lost
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" with a directory "cache", whose names the kernel keeps for 0 s
      And pod "demo-app" reads "demo-dataset" at /data and has a part of a volume at /data/cache
      When the FUSE daemon is killed under the volume inside the dataset
      Then the pod is not recovered
      And an event refuses the recovery because of "InnerMount"

    @L1 @C3 @fault:open-file
    Scenario: a file that is held open
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the application holds a file open
      When the FUSE daemon is killed under the open file
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And the file that it holds open fails cleanly, and for ever

  Rule: Each pod has its own dataset again

    @C3 @fault:many-pods
    Scenario: many pods of one dataset
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And 20 more pods read "demo-dataset" at /data
      When the FUSE daemon is killed under the many pods
      Then the pod reads the same files again, and was not restarted
      And all pods read the same files again, and none was restarted

    @C3 @fault:many-pods @long
    Scenario: a hundred pods of one dataset
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And 100 more pods read "demo-dataset" at /data
      When the FUSE daemon is killed under the many pods
      Then the pod reads the same files again, and was not restarted
      And all pods read the same files again, and none was restarted
      And the mount tables have not grown

    @C3 @L4 @fault:empty-dataset @needs:fake-daemon
    Scenario: a dataset without any file
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" without any file
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed under the empty dataset
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
