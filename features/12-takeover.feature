@dataset @takeover @needs:takeover @needs:fake-daemon @needs:agent-flags
Feature: A new daemon continues on the connection of a dead one
  Not in the document: gate FuseTakeover, off by default. A keeper on the node holds the connection while no daemon runs, so that calls
  wait instead of failing, and open files continue. Volumes whose daemons do not know how are recovered as documented.

  Rule: No operation fails

    @fault:sigkill @probe:1000
    Scenario: the daemon is killed under a thousand reads a second, while files are open
      Given FUSE takeover is enabled
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      And the application holds a file open
      And the keeper has the connection
      When the FUSE daemon is killed from the node
      Then no operation fails, and none waits longer than the profile allows
      And the file that it holds open is read on
      And the mount tables have not grown

    @fault:sigkill
    Scenario: the daemon is killed twice in a row
      Given FUSE takeover is enabled
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      And the application holds a file open
      And the keeper has the connection
      When the FUSE daemon is killed from the node 2 times, each time after the last one was taken over
      Then no operation fails, and none waits longer than the profile allows
      And the file that it holds open is read on

    @fault:sigkill
    Scenario: the successor is killed, too, during takeover
      Given FUSE takeover is enabled
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      And the application holds a file open
      And the keeper has the connection
      When the FUSE daemon is killed, and its successor is killed as soon as it runs
      Then no operation fails, and none waits longer than the profile allows
      And the file that it holds open is read on

    @fault:sigkill
    Scenario: the daemon has read requests and answers none when it is killed
      Given FUSE takeover is enabled
      And the dataset "demo-dataset", whose daemon can be continued and loses reads
      And pod "demo-app" reads "demo-dataset" at /data
      And the keeper has the connection
      When the FUSE daemon stops answering one operation
      And an operation of the pod hangs
      And the FUSE daemon is killed from the node
      Then no operation fails, and none waits longer than the profile allows

    @fault:agent-upgrade @fault:sigkill @probe:1000
    Scenario: the agent is upgraded under a thousand reads a second, and the daemon is killed meanwhile
      Given FUSE takeover is enabled
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      And the keeper has the connection
      And the node agent is ended for an upgrade
      When the FUSE daemon is killed from the node
      Then no operation fails, and none waits longer than the profile allows

    @fault:keeper-kill @fault:sigkill @probe:1000
    Scenario: the keeper is replaced under a thousand reads a second, and the daemon is killed afterwards
      Given FUSE takeover is enabled
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      And the keeper has the connection
      When the keeper is replaced, and the FUSE daemon is killed afterwards
      Then no operation fails, and none waits longer than the profile allows

  Rule: Without takeover, ordinary recovery follows

    @C3 @fault:sigkill
    Scenario: the successor never comes
      Given FUSE takeover is enabled, and the keeper waits 1500 ms for a daemon
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      And the keeper has the connection
      When the FUSE daemon dies and does not come back
      Then waiting ends after 1500 ms
      When the daemon is started again
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill @fault:keeper-kill
    Scenario: keeper and daemon die together
      Given FUSE takeover is enabled
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      And the keeper has the connection
      When keeper and FUSE daemon are killed at once
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill
    Scenario: a kernel that cannot send requests again
      Given FUSE takeover is enabled on a kernel that cannot send requests again
      And the dataset "demo-dataset", whose daemon can be continued
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the keeper refuses it in a sentence that names "run Linux 6.9 or later"
      And the pod reads the same files again, and was not restarted
      And every claim of a recovery is true

    @C3 @fault:sigkill
    Scenario: a dataset whose daemon does not know about keepers
      Given FUSE takeover is enabled
      And pod "demo-app" reads "demo-dataset" at /data
      When the FUSE daemon is killed from the node
      Then the pod reads the same files again, and was not restarted
      And every claim of a recovery is true
