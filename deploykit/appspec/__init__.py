"""appspec.yml as the CodeDeploy agents read it: version 1 (Ruby, Psych 4) and version 2 (Rust, serde_yaml).

Start at ``reader.judge``. ``quick.quick_timeout`` is for hooks that have no time to import a YAML parser.
"""
