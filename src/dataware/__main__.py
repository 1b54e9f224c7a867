"""`python -m dataware`."""

import sys

from dataware.cli import main

sys.exit(main())
