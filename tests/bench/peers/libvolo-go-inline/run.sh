#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
MODE=inline exec "$(dirname "$0")/../libvolo-go/run.sh"
