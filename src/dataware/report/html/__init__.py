"""Pages for people: the report of a run, and a plan, each as one self-contained HTML file.

Only the command line uses this package; it reads records and plans, and calls no service.
"""

from __future__ import annotations

from dataware.report.html.fleet import fleet_page
from dataware.report.html.plan import plan_page
from dataware.report.html.run import run_page

__all__ = ["fleet_page", "plan_page", "run_page"]
