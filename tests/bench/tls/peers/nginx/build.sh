#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Debian's nginx-light; nothing to build.
exec nginx -v
