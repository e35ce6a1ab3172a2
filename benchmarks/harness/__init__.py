"""The benchmark: one job, several contenders, every run measured and checked.

layout (where things lie) < job (what is wanted) < inputs, tree, masters < contenders, measure < rounds, faults < report.
"""
