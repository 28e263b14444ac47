#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# $HANDLERS is "def" or "async".
python=${PEERS_DIR:-$HOME/.cache/volo-peers}/venv/libvolo-python/bin/python
[ -x "$python" ] || {
    echo "Run build.sh first" >&2
    exit 1
}
exec "$python" "$(dirname "$0")/app.py"
