@dataset @faults
Feature: Faults of agent, application and node
  The node agent, the application and the node may fail too, at any moment of a recovery.

  Rule: The node agent may die at any moment

    @C3 @fault:agent-kill @fault:sigkill
    Scenario: the agent dies before a crash, and after the recovery
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the node agent is killed
      And the FUSE daemon is killed from the node
      And the pod reads the same files again, and was not restarted
      And the node agent is killed
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And the mount tables have not grown

    @C3 @L1 @fault:agent-kill-midway @needs:agent-death
    Scenario: the agent dies when one of two mounts is replaced
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the node agent is set to die after it has replaced one of the two mounts of the pod
      When the FUSE daemon is killed from the node
      Then the node agent died of it
      And the pod reads the same files again, and was not restarted
      And both mounts of the pod show the same filesystem
      And the mount tables have not grown

    @C3 @L1 @fault:agent-kill-half-done @needs:agent-death @needs:mount-beneath
    Scenario: the agent dies in the middle of the first mount
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the node agent is set to die between beneath and detach of the first mount
      When the FUSE daemon is killed from the node
      Then the node agent died of it
      And the pod reads the same files again, and was not restarted
      And both mounts of the pod show the same filesystem
      And the mount tables have not grown

    @C3 @L1 @fault:agent-kill-half-done-last @needs:agent-death @needs:mount-beneath
    Scenario: the agent dies in the middle of the last mount
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the node agent is set to die between beneath and detach of the last mount
      When the FUSE daemon is killed from the node
      Then the node agent died of it
      And the pod reads the same files again, and was not restarted
      And both mounts of the pod show the same filesystem
      And the mount tables have not grown

    @C3 @fault:agent-upgrade @fault:sigkill
    Scenario: the daemon crashes and comes back while the agent is upgraded
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the node agent is ended for an upgrade
      And the FUSE daemon is killed from the node
      And the pod sees errors
      When that is over
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

  Rule: Containers start on living volumes only

    @L4 @A2 @fault:app-restart @fault:sigkill
    Scenario: the application crashes while its volume is dead
      Given FUSE recovery is enabled
      And pod "demo-app" without the label reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And the application's container crashes
      And its container is not started, because of "transport endpoint is not connected"
      When the daemon is started again
      Then the container starts on the living volume, and reads

    @L3 @L4 @A2 @fault:app-restart @fault:sigkill @needs:agent-flags
    Scenario: the application crashes while the directory that it mounts is dead, and a flag asks to recover it
      Given FUSE recovery is enabled, also for directories of a dataset
      And the dataset "demo-dataset" with a directory "logs"
      And pod "demo-app" without the label reads directory "logs" of "demo-dataset" by subPath
      And the FUSE daemon dies and does not come back
      And the application's container crashes
      And its container is not started, because of "failed to prepare subPath"
      When the daemon is started again
      Then the container starts on the living volume, and reads

    @L3 @L4 @A2 @fault:app-restart @fault:sigkill @needs:agent-flags
    Scenario: the application crashes after the directory that it mounts was recovered, as a flag asks for
      Given FUSE recovery is enabled, also for directories of a dataset
      And the dataset "demo-dataset" with a directory "logs"
      And pod "demo-app" without the label reads directory "logs" of "demo-dataset" by subPath
      And pod "demo-app" is given the label
      And the FUSE daemon is killed from the node
      And the pod reads the same files again, and was not restarted
      When the application's container crashes
      Then its container is started again, and reads

    @L4 @fault:new-pod @fault:sigkill @waits
    Scenario: a pod that is created while the daemon is down
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And another pod of the dataset is created
      And the other pod waits for its volume
      When the daemon is started again
      Then the other pod starts on the living volume, and reads

    @L4 @fault:node-reboot @needs:node-reboot @waits
    Scenario: the node is switched off and on
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the node is switched off and on, and the FUSE daemon comes late
      And the pod waits for its volume
      When the daemon is started again
      Then the container starts on the living volume, and reads

  Rule: The kubelet may be restarted

    @L4 @C3 @fault:kubelet-restart @fault:sigkill @needs:kubelet-restart @waits
    Scenario: the kubelet is restarted while the daemon is down
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon dies and does not come back
      And the kubelet is restarted
      And nothing is mounted for the pod and no event claims a recovery
      When the daemon is started again
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

  Rule: Each node recovers on its own

    @C2 @C3 @fault:sigkill @needs:two-nodes
    Scenario: pods on two nodes read again after crashes on each
      Given FUSE recovery is enabled
      And pods "east-app" and "west-app" on different nodes read "demo-dataset" at /data
      And the FUSE daemon beside "east-app" is killed from its node
      And pod "east-app" reads the files of "demo-dataset" again, and was not restarted
      And pod "west-app" reads on, and saw no error
      When the FUSE daemon beside "west-app" is killed from its node
      Then pod "west-app" reads the files of "demo-dataset" again, and was not restarted

  Rule: A recovery does not keep a pod from ending

    @L1 @fault:pod-delete-while-dead @fault:sigkill
    Scenario: the application pod is deleted while its volume is dead
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And the FUSE daemon is killed from the node
      When the application pod is deleted
      Then every application pod is gone in time, and nothing is left of it

    @L1 @fault:drain @fault:sigkill
    Scenario: the node is drained in the middle of a recovery
      Given FUSE recovery is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      And 9 more pods read "demo-dataset" at /data
      And the FUSE daemon is killed from the node
      When the node is drained
      Then every application pod is gone in time, and nothing is left of it
