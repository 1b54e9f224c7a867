"""What `deploy` shares with other commands."""

from dataware.cli.app import app_of
from dataware.cli.context import settings_of
from dataware.cli.guarded_plan import guarded_plan, report_plan

__all__ = ["app_of", "guarded_plan", "report_plan", "settings_of"]
