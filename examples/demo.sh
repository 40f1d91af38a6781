#!/bin/sh
# What the program makes of the example cluster: what it found, what it did not take and why, and what it would write.
set -eu
cd "$(dirname "$0")/.."
tool=bin/dynamic-toolset
cluster=examples/cluster.yaml

run() {
	printf '\n$ dynamic-toolset %s\n' "$*"
	"$tool" "$@"
}

echo "An example cluster of forty Services ($cluster). Nothing is contacted: this shows what is told by its Services alone."
run discover -f $cluster
run discover -f $cluster --all
run explain platform/metrics-store -f $cluster
run generate -f $cluster --key custom_toolset.yaml
