"""From a checkout to the one zip that a deployment needs. START HERE: build.py; ``verify`` is what the instance runs of it."""
