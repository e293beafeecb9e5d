@dataset @bad-input
Feature: Bad input
  Malformed input is refused by name, or works. No tenant is given another tenant's data, and no other recovery suffers.

  @C3 @fault:sigkill
  Scenario: invalid objects are refused with the names of their fields, and no recovery suffers
    Given FUSE recovery is enabled
    And pod "neighbour-app" reads "neighbour" at /data
    And objects are created that each have one of these flaws:
      | kind                  | field                                                | value            |
      | Pod                   | metadata / name                                      | Demo_App         |
      | Pod                   | metadata / name                                      | (254 characters) |
      | Pod                   | metadata / annotations                               | {"a b": "x"}     |
      | Pod                   | spec / containers                                    | []               |
      | Pod                   | spec / containers / 0 / image                        | (missing)        |
      | Pod                   | spec / containers / 0 / volumeMounts / 0 / name      | nowhere          |
      | Pod                   | spec / containers / 0 / volumeMounts / 0 / mountPath | (missing)        |
      | Pod                   | spec / containers / 0 / volumeMounts / 0 / subPath   | ../../etc        |
      | Pod                   | spec / containers / 0 / volumeMounts / 0 / subPath   | /etc             |
      | Pod                   | spec / volumes / 0 / persistentVolumeClaim / claimName | (missing)      |
      | PersistentVolumeClaim | spec / accessModes                                   | []               |
      | PersistentVolume      | spec / accessModes                                   | []               |
      | PersistentVolume      | spec / capacity                                      | (missing)        |
      | PersistentVolume      | spec / csi / driver                                  | (missing)        |
      | PersistentVolume      | spec / csi / volumeHandle                            | (missing)        |
      | Dataset               | metadata / name                                      | demo/dataset     |
      | Dataset               | spec                                                 | everything       |
      | JindoRuntime          | metadata / name                                      | -                |
    And the API server has refused each with the name of its field
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And the node agent ran all the time

  @C3 @fault:sigkill @volumes @promises:explanations
  Scenario: a volume that leads nowhere is refused with a reason, while others are recovered
    Given FUSE recovery is enabled
    And pod "neighbour-app" reads "neighbour" at /data
    And pods are created on volumes that were made by hand with these paths:
      | path                              | words                                 |
      | (missing)                         | fluid_path is not set                 |
      | runtime-mnt/jindo/a/b/jindofs-fuse | is not an absolute path               |
      | /runtime-mnt/jindo/../../etc      | is not an absolute path without "."   |
      | /runtime-mnt//jindo               | repeated slashes                      |
      | /runtime-mnt                      | is not below /runtime-mnt             |
      | /etc                              | is not below /runtime-mnt             |
    And each of these pods waits, with an event that gives the reason
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And the node agent ran all the time

  @C3 @fault:sigkill
  Scenario: odd names and large annotations are accepted
    Given FUSE recovery is enabled
    And the dataset "demo-dataset" with an annotation of 64 KB
    And pod "demo-app" with an annotation of 64 KB reads "demo-dataset" at a path with every character that mountinfo escapes
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And every claim of a recovery is true
    And the mount tables have not grown
    And the node agent ran all the time

  @C3 @fault:sigkill @tenants
  Scenario: a tenant whose names make another's volume name is refused and given nothing
    Given FUSE recovery is enabled
    And pod "demo-app" reads "team-data" at /data
    And another tenant has a dataset whose volume would have the name of "team-data"'s
    And that dataset is refused with a sentence that names the volume
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And the other tenant's pod was given nothing
    And the node agent ran all the time

  @C3 @fault:sigkill
  Scenario: a dataset that is mounted below another's path is carried over, and refused by itself
    Given FUSE recovery is enabled
    And the dataset "south" with files of its own
    And the dataset "north" with a directory "cache"
    And pod "demo-app" reads "north" at /data and "south" at /data/cache
    And the FUSE daemon is killed from the node
    And the pod reads the same files again, and was not restarted
    And at /data/cache it reads the files of "south"
    When the FUSE daemon of "south" is killed
    Then an event refuses the recovery because of "Nested"
    And at /data the pod reads on
    And the node agent ran all the time
