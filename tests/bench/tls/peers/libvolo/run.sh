#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The one of the benchmark in the clear, whose port is another.
export TLS_PORT="$PORT"
PORT=$((PORT + 1)) exec "$(dirname "$0")/../../../peers/libvolo/run.sh"
