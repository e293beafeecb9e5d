@dataset
Feature: Limits
  Recovery is not seamless, is for read-only datasets only, and begins when the daemon is back.

  Rule: The application must tolerate failures and retry

    @documented @L1 @fault:sigkill
    Scenario: the pod sees errors for a while, then its data, and keeps running
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod sees "Transport endpoint is not connected" and no other error
      And the pod reads the same files again, and was not restarted
      And the outage is reported by phase, within the profile's budget

  Rule: Only read-only datasets are recovered

    @documented @L2 @fault:sigkill @waits @promises:no-read-write
    Scenario: a read-write dataset is left alone, and an event says so
      Given FUSE recovery is enabled
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" reads "scratch-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod is not recovered
      And an event refuses the recovery because of "ReadWrite"

    @L2 @promises:no-read-write @promises:explanations
    Scenario: a labelled pod of a read-write dataset is created with a warning
      Given a read-write dataset "scratch-dataset"
      When a labelled pod "demo-app" is created on "scratch-dataset"
      Then it is created with a warning that names "ReadOnlyMany"

    @documented @L2 @fault:sigkill
    Scenario: a read-only dataset stays read-only through a recovery
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And no mount of the dataset was ever writable
      And writing to /data in the pod fails with "Read-only file system"

    @L2 @fault:sigkill @needs:agent-flags
    Scenario: a read-write dataset turns recovery off for itself only
      Given FUSE recovery is enabled, but off for read-write datasets
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted

    @L2 @fault:sigkill @waits @needs:agent-flags
    Scenario: read to the letter, a read-write dataset anywhere turns recovery off for all
      Given FUSE recovery is enabled, but off for all while there is a read-write dataset
      And a read-write dataset "scratch-dataset"
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod is not recovered
      And an event refuses the recovery because of "ReadWrite"

    @L2 @fault:sigkill @needs:fake-daemon @waits @needs:agent-flags
    Scenario: a mount that was read-only for any reason stays so, and a writable one is left alone
      Given FUSE recovery is enabled, but off for read-write datasets
      And pods that mount datasets in each of these ways:
        | access mode   | claim in the pod | superblock | volumeMount | recovered | on the node | in the pod |
        | ReadOnlyMany  |                  | rw         |             | yes       | ro          | ro         |
        | ReadOnlyMany  |                  | rw         | readOnly    | yes       | ro          | ro         |
        | ReadOnlyMany  | readOnly         | rw         |             | yes       | ro          | ro         |
        | ReadOnlyMany  | readOnly         | rw         | readOnly    | yes       | ro          | ro         |
        | ReadOnlyMany  |                  | ro         |             | yes       | ro          | ro         |
        | ReadOnlyMany  |                  | ro         | readOnly    | yes       | ro          | ro         |
        | ReadOnlyMany  | readOnly         | ro         |             | yes       | ro          | ro         |
        | ReadOnlyMany  | readOnly         | ro         | readOnly    | yes       | ro          | ro         |
        | ReadWriteMany |                  | rw         |             | no        | rw          | rw         |
        | ReadWriteMany |                  | rw         | readOnly    | no        | rw          | ro         |
        | ReadWriteMany | readOnly         | rw         |             | no        | ro          | ro         |
        | ReadWriteMany | readOnly         | rw         | readOnly    | no        | ro          | ro         |
        | ReadWriteMany |                  | ro         |             | no        | ro          | ro         |
        | ReadWriteMany |                  | ro         | readOnly    | no        | ro          | ro         |
        | ReadWriteMany | readOnly         | ro         |             | no        | ro          | ro         |
        | ReadWriteMany | readOnly         | ro         | readOnly    | no        | ro          | ro         |
      And the FUSE daemons of all these datasets are killed from the node
      And each pod is recovered or left alone, and can write or not, as the table says
      When a flag allows recovery of read-write datasets
      Then all these pods read again, and none can write that could not before

    @L2 @fault:pod-delete
    Scenario: the dataset is never writable, not for an instant, while the FUSE pod is replaced again and again
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And writers that try to change the dataset all the time, in the pod and on the node
      When the FUSE pod is replaced 10 times, each time after the pod read again
      Then the pod reads the same files again, and was not restarted
      And not one write got through, to the pod, the node or the daemon
      And every mount of the dataset was read-only in every namespace

    @L2 @fault:pod-delete @long
    Scenario: the dataset is never writable, not for an instant, in a thousand replacements
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And writers that try to change the dataset all the time, in the pod and on the node
      When the FUSE pod is replaced 1000 times, each time after the pod read again
      Then the pod reads the same files again, and was not restarted
      And not one write got through, to the pod, the node or the daemon
      And every mount of the dataset was read-only in every namespace
      And the mount tables have not grown
      And the agent's memory has not grown in 1000 crashes

  Rule: A dataset that is mounted with subPath is not supported

    @documented @L3 @promises:no-sub-path @promises:explanations
    Scenario Outline: a labelled pod that mounts a directory of a dataset by <way> is denied
      Given the dataset "demo-dataset" with a directory "logs"
      When a labelled pod "demo-app" is created that mounts directory "logs" of "demo-dataset" by <way>
      Then it is denied with a sentence that names <what>, volume "data-vol", <field> and what to change

      Examples:
        | way                         | what                     | field       |
        | subPath                     | container "demo"         | subPath     |
        | subPathExpr                 | container "demo"         | subPathExpr |
        | subPath in an init container | init container "prepare" | subPath     |

    @L3 @fault:sigkill @waits @promises:no-sub-path
    Scenario: a pod that got its label later is skipped with an event, and its sibling is recovered
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" with a directory "logs"
      And pod "demo-app" without the label reads directory "logs" of "demo-dataset" by subPath
      And pod "sibling" reads "demo-dataset" at /data
      And pod "demo-app" is given the label
      When the FUSE daemon is killed from the node
      Then pod "sibling" reads the files of "demo-dataset" again, and was not restarted
      And pod "demo-app" is not recovered
      And an event refuses the recovery because of "SubPath"
      And the agent's metrics count the refusal "sub-path"

    @L3 @fault:sigkill @waits @promises:no-sub-path @promises:explanations
    Scenario Outline: a pod that is older than the webhook, with <way>, is skipped with an event, and its sibling is recovered
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" with a directory "logs"
      And the webhook is not installed yet
      And labelled pod "demo-app" reads directory "logs" of "demo-dataset" by <way>
      And the webhook is installed
      And pod "sibling" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then pod "sibling" reads the files of "demo-dataset" again, and was not restarted
      And pod "demo-app" is not recovered
      And an event refuses the recovery because of "SubPath"
      And the agent's metrics count the refusal "sub-path"

      Examples:
        | way                         |
        | subPath                     |
        | subPathExpr                 |
        | subPath in an init container |

    @L3 @A1 @promises:explanations
    Scenario: while the webhook does not answer no labelled pod is created, and all others are
      Given the dataset "demo-dataset" of the document
      And the webhook does not answer
      When a labelled pod "demo-app" is created on "demo-dataset"
      Then it is not created, because of "failed calling webhook"
      And pod "other" without the label reads "demo-dataset" at /data

    @L3 @needs:fake-daemon
    Scenario: a directory that is a symbolic link out of the volume is not mounted
      Given the dataset "demo-dataset", in which "escape" is a symbolic link to "/etc"
      When a pod "demo-app" without the label is created that mounts directory "escape" of "demo-dataset"
      Then its container is not started, because of "failed to prepare subPath"

    @L3 @fault:pod-delete @needs:fake-daemon @waits @promises:no-sub-path
    Scenario: a directory that becomes a symbolic link does not lead out of the volume
      Given FUSE recovery is enabled
      And the dataset "demo-dataset" with a directory "logs"
      And pod "demo-app" without the label reads directory "logs" of "demo-dataset" by subPath
      And pod "demo-app" is given the label
      And from its next FUSE pod on, "logs" in "demo-dataset" is a symbolic link to "/etc"
      When the FUSE pod is deleted
      Then the pod is not recovered
      And nothing of the node shows in the pod below /data

  Rule: Recovery starts when the daemon is back, not before

    @documented @L4 @fault:sigkill @waits
    Scenario: nothing is mounted while the daemon is down
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon dies and does not come back
      Then the pod sees "Transport endpoint is not connected" and no other error
      And nothing is mounted for the pod and no event claims a recovery

    @documented @L4 @fault:sigkill
    Scenario: recovery starts when the daemon is back
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And the pod sees errors
      When the daemon is started again
      Then the pod reads the same files again, and was not restarted
      And the outage is reported by phase, within the profile's budget

    @documented @A1 @L4 @fault:pod-delete @needs:fake-daemon @waits
    Scenario: a daemon that is back but gives no data is no recovery
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And from its next FUSE pod on, "demo-dataset" answers every read with an error
      When the FUSE pod is deleted
      Then nothing claims a recovery, for the pod cannot read

  Rule: A daemon that crashes often is restarted later each time

    @documented @L5 @fault:sigkill @needs:real-kubelet
    Scenario: a real kubelet waits longer after each of four crashes, as predicted
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon crashes 4 times, each time as soon as the pod reads again
      Then each delay was predicted from the kubelet's source
      And the recovery comes later as the kubelet waits longer
      And the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @documented @L5 @fault:sigkill @needs:scaled-clock
    Scenario: the kubelet's back-off grows, reaches its cap and begins anew, as predicted
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon crashes 7 times, each time as soon as the pod reads again
      And it then runs for longer than the kubelet remembers
      When the FUSE daemon crashes 2 times, each time as soon as the pod reads again
      Then each delay was predicted from the kubelet's source, up to its cap and after its reset
      And the recovery comes later as the kubelet waits longer
      And the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
