Feature: Step 2: create a Fluid dataset
  A Secret with the credentials, a Dataset and a JindoRuntime of the same name.

  @D2 @D3
  Scenario: the documented Dataset and JindoRuntime become a claim that pods can mount
    Given the dataset "demo-dataset" of the document
    Then the Dataset is Bound, with the claim "demo-dataset" on a volume named after namespace and Dataset
    And it has 2 workers, as "replicas" asks for
