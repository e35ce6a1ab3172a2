"""Start here: one module per CodeDeploy event, named as in appspec.yml and hooks/."""
