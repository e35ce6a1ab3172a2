"""The only place that touches the machine: files, processes, locks, signals, time, the network."""
