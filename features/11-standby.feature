@dataset @standby @promises:standby
Feature: Standbys
  A standby is a second FUSE daemon of a dataset, with a source mount of its own. The document knows none, and the gate FuseStandby is
  off by default. With it, a pod continues with the standby at once when the daemon dies.

  Rule: A pod does not wait for the daemon

    @S1 @S2 @S3 @S4 @fault:sigkill
    Scenario: the active daemon is killed and does not come back
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      When the active daemon is killed and does not come back
      Then the pod continues with the standby, and was not restarted
      And every claim of a recovery is true
      And no mount of the dataset was ever writable
      And the mount tables have not grown

    @S1 @S2 @S3 @S5 @fault:sigkill @needs:quick-restarts
    Scenario: the twelfth crash of a loop is like the first
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      When the active daemon is killed 12 times, each time as soon as the other one is back
      Then the pod continues with the standby, and was not restarted
      And every claim of a recovery is true
      And no mount of the dataset was ever writable
      And the mount tables have not grown

    @S1 @S2 @fault:sigkill
    Scenario: a pod with another volume inside
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a directory "cache", and a standby
      And pod "demo-app" reads "demo-dataset" at /data and has a volume in memory at /data/cache
      And its standby is ready
      When the active daemon is killed and does not come back
      Then the pod continues with the standby, and was not restarted
      And the volume at /data/cache is still there, with what was written to it

    @S1 @S2 @fault:sigkill
    Scenario: many pods fail over at once
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And 20 more pods read "demo-dataset" at /data
      When the active daemon is killed and does not come back
      Then the pod continues with the standby, and was not restarted
      And all pods read the same files again, and none was restarted
      And the mount tables have not grown

  Rule: A standby that cannot serve is not used

    @S2 @S4 @fault:sigkill @waits
    Scenario: the standby is dead
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And the standby is killed and does not come back
      And an event on the dataset says "FuseStandbyDown"
      And the volume is left alone, for longer than the period of the agent
      When the active daemon is killed, and comes back after 2 s
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And no mount of a dead daemon was attached, and none twice

    @S2 @S4 @fault:sigkill @fault:hang
    Scenario: the standby hangs
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And the standby hangs
      And an event on the dataset says "FuseStandbyHung"
      When the active daemon is killed
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And no mount of a dead daemon was attached, and none twice

    @S2 @S4 @fault:sigkill @waits
    Scenario Outline: both are dead, and the one that was <first> comes back first
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And both daemons are killed and do not come back
      And the pod sees errors
      And nothing is mounted for the pod and no event claims a recovery
      When the daemon that was <first> is started again
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And no mount of a dead daemon was attached, and none twice

      Examples:
        | first   |
        | active  |
        | standby |

    @S3 @promises:explanations
    Scenario: the dataset is read-write
      Given FUSE recovery is enabled, with standbys
      And a read-write dataset "demo-dataset" with a standby
      When pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      Then an event on the dataset says "FuseStandbyRefused"

    @S1 @fault:sigkill @needs:fake-daemon @promises:explanations
    Scenario: the standby has other files
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" of the document
      And pod "demo-app" reads "demo-dataset" at /data
      And the dataset gets a standby that has one file more
      And an event on the dataset says "FuseStandbyDiffers"
      When the active daemon is killed and does not come back
      Then the pod continues with the standby, and was not restarted

    @S2 @S4 @fault:oom @needs:memory-cgroups
    Scenario: the memory of both runs out under the same load
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      When the memory of both daemons runs out
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And no mount of a dead daemon was attached, and none twice

    @S2 @S4 @fault:sigkill
    Scenario: the standby crashes in the middle of a failover
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      When the active daemon is killed, and at once the standby
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
      And no mount of a dead daemon was attached, and none twice
      And the mount tables have not grown

  Rule: The node agent may die at any moment of a failover

    @S2 @S3 @fault:agent-kill-midway @needs:agent-death
    Scenario: the agent dies when one of two mounts has failed over
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And the node agent is set to die after it has replaced one of the two mounts of the pod
      When the active daemon is killed and does not come back
      Then the node agent died of it
      And the pod reads the same files again, though the daemon is not back
      And both mounts of the pod show the same filesystem
      And no mount of a dead daemon was attached, and none twice

    @S2 @S3 @fault:agent-kill-half-done @needs:agent-death @needs:mount-beneath
    Scenario: the agent dies between beneath and detach of a failover
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And the node agent is set to die between beneath and detach of the first mount
      When the active daemon is killed and does not come back
      Then the node agent died of it
      And the pod reads the same files again, though the daemon is not back
      And both mounts of the pod show the same filesystem
      And no mount of a dead daemon was attached, and none twice

    @S2 @S4 @fault:agent-upgrade
    Scenario: the agent is started during an outage
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And the node agent is ended for an upgrade
      And the active daemon is killed and does not come back
      And the pod sees errors
      When that is over
      Then the pod reads the same files again, though the daemon is not back
      And every claim of a recovery is true
      And no mount of a dead daemon was attached, and none twice

  Rule: What the pods show is active, whichever daemon serves it

    @S5 @fault:sigkill
    Scenario: pods that are created after a failover
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      And the active daemon is killed and does not come back
      And the pod continues with the standby, and was not restarted
      When pod "late-app" reads "demo-dataset" at /data
      Then "late-app" shows the file system that "demo-app" shows
      When the daemon that was active is started again
      And its standby is ready
      And pod "later-app" reads "demo-dataset" at /data
      Then "later-app" shows the file system that "demo-app" shows

  Rule: A standby that is removed is let go

    @S6
    Scenario: the dataset asks for no standby any more
      Given FUSE recovery is enabled, with standbys
      And the dataset "demo-dataset" with a standby
      And pod "demo-app" reads "demo-dataset" at /data, whose standby is ready
      When the dataset asks for no standby any more
      Then the standby's daemon has ended, and nothing is left of it on the node
      When the active daemon is killed
      Then the pod reads the same files again, and was not restarted
