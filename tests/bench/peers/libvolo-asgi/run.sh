#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The raw ASGI application that the other Python peers serve, found beside this
# project's folder or in $PEER_APPS.
here=$(cd "$(dirname "$0")" && pwd)
apps=${PEER_APPS:-$here/../../../../../shared/bench/peers/python-apps}
python=${PEERS_DIR:-$HOME/.cache/volo-peers}/venv/libvolo-asgi/bin/python
[ -x "$python" ] || {
    echo "Run build.sh first" >&2
    exit 1
}
exec "$python" -m volo run app_asgi:app --app-dir "$apps" --host 127.0.0.1 \
    --port "${PORT:-8080}" --workers "${THREADS:-1}" --log-level warning
