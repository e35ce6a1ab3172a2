#!/bin/sh
# The world of one test instance, started in mount, network and PID namespaces of its own: when this shell dies, so does
# everything in it, and the kernel takes the mounts and both networks away. Its arguments are the instance's cgroup folders.
#
# FOLDER holds upper, work and merged; ROOT is the suite's root, which is only read; NAME HOST UUID are the instance's.
# Ends with the status of systemd-nspawn, 133 for an instance that asked for a reboot.
set -eu

for group in "$@"; do echo $$ >"$group/cgroup.procs"; done
mount --make-rprivate /
mount -t tmpfs tmpfs /run   # nspawn wants a file system of its own there, and the host's sockets are none of its business
mkdir -p /run/netns /run/systemd/nspawn

# This end is "outside"; it is all of the network that the instance can see.
ip netns add inside
ip link add outside type veth peer name host0 netns inside
ip addr add 10.231.0.1/24 dev outside
ip link set lo up
ip link set outside up
ip -n inside addr add 10.231.0.2/24 dev host0
ip -n inside link set lo up
ip -n inside link set host0 up
ip -n inside route add default via 10.231.0.1

mount -t overlay overlay -o "volatile,redirect_dir=on,lowerdir=$ROOT,upperdir=$FOLDER/upper,workdir=$FOLDER/work" "$FOLDER/merged"

# Nobody to register with; our own cgroup; CAP_NET_ADMIN as on a real machine, for the private networks of trials.
export SYSTEMD_NSPAWN_LOCK=0
set +e
systemd-nspawn --quiet --register=no --keep-unit --boot --directory="$FOLDER/merged" --machine="$NAME" --hostname="$HOST" \
    --uuid="$UUID" --console=pipe --link-journal=no --resolv-conf=off --timezone=off --network-namespace-path=/run/netns/inside \
    --capability=CAP_NET_ADMIN --setenv=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 --kill-signal=SIGRTMIN+4
exit $?
