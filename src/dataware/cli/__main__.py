"""`python -m dataware.cli`."""

import sys

from dataware.cli import main

sys.exit(main())
