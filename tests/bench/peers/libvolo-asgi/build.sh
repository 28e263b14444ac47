#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The wheel of this tree in an environment of its own, under $PEERS_DIR.
set -eu
root=$(cd "$(dirname "$0")/../../../.." && pwd)
venv=${PEERS_DIR:-$HOME/.cache/volo-peers}/venv/libvolo-asgi
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q uvloop==0.23.0 msgspec==0.22.0
"$venv/bin/pip" install -q --force-reinstall --no-deps "$root/python"
