"""The CodeDeploy agent, played on this machine or in a folder that stands for one. Start at ``deployment.deploy``.

What it does is what agents 1.8.1 (measured) and 2.1.0 (read) do, in their own order and with their own mistakes; where the
two differ, ``agents`` says how. docs/simulate.md has the list, and what is not played.
"""
