"""`dataware doctor`: checks everything that a run needs, and says what to do.

A check looks (at this machine, at AWS) and hands what it saw to a pure function, which makes
findings of it. Nothing here changes anything.
"""

from dataware.cli.doctor.run import run_doctor

__all__ = ["run_doctor"]
