Feature: Recovery in a serverless environment
  A sidecar serves the dataset where there is no node plugin.

  @V1 @V3 @needs:serverless
  Scenario: the sidecar's crash is recovered without a restart of the application's container
    Given pod "demo-app" with the documented labels and annotations of a serverless pod
    When "kill 1" is run in the container "fluid-fuse-0"
    Then the pod reads the same files again, and was not restarted
