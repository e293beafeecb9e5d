@dataset
Feature: Step 2: create a Fluid dataset
  A Secret with the credentials, a Dataset and a JindoRuntime of the same name.

  @documented @D2 @D3
  Scenario: the documented Dataset and JindoRuntime become a claim that pods can mount
    When the dataset "demo-dataset" of the document is created
    Then the Dataset is Bound, with the claim "demo-dataset" on a volume named after namespace and Dataset
    And it has 2 workers, as "replicas" asks for

  @documented @P4
  Scenario: object storage and bucket are there before any dataset is
    Then object storage is enabled and the bucket exists, for those who have the key

  @documented @D1 @fault:sigkill
  Scenario: the credentials reach the daemon from the Secret, and nothing else has them
    Given FUSE recovery is enabled
    And pod "demo-app" reads "demo-dataset" at /data
    When the FUSE daemon is killed from the node
    Then the pod reads the same files again, and was not restarted
    And no other process and no file of the node has the credentials

  @documented @D4
  Scenario: a cache that the document does not have is refused with the field's name
    When datasets are created that each have one of these flaws:
      | kind         | field                                   | value                                                |
      | JindoRuntime | spec / tieredstore / levels / 0 / mediumtype | NVME                                            |
      | JindoRuntime | spec / tieredstore / levels / 0 / path  | /dev/shm,/mnt/disk                                   |
      | JindoRuntime | spec / tieredstore / levels / 0 / path  | relative                                             |
      | JindoRuntime | spec / tieredstore / levels / 0 / quota | plenty                                               |
      | JindoRuntime | spec / tieredstore / levels / 0 / high  | "1.5"                                                |
      | JindoRuntime | spec / tieredstore / levels / 0 / low   | "0.999"                                              |
      | JindoRuntime | spec / replicas                         | -1                                                   |
      | JindoRuntime | spec / tieredstore / levels / 0         | {"path": "/dev/shm", "mediumtype": ["MEM", "SSD"]}   |
    Then each of them is refused with the name of its field

  @documented @D5
  Scenario: an endpoint that is missing, or in the mount point, is refused with the field's name
    When datasets are created that each have one of these flaws:
      | kind    | field                                        | value                                          |
      | Dataset | spec / mounts / 0 / options / fs.oss.endpoint | (missing)                                     |
      | Dataset | spec / mounts / 0 / options / fs.oss.endpoint | ftp://nowhere                                 |
      | Dataset | spec / mounts / 0 / mountPoint               | oss://demo-bucket.oss-cn-hangzhou.aliyuncs.com/dir |
      | Dataset | spec / mounts / 0 / mountPoint               | /local/directory                               |
      | Dataset | spec / mounts / 0 / encryptOptions           | []                                             |
    Then each of them is refused with the name of its field
