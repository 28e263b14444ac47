# SPDX-License-Identifier: Apache-2.0
"""``python -m volo``: the ``volo`` command."""

import sys

from .cli import main

sys.exit(main())
