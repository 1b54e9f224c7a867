"""What people write, turned into values: an app into wanted resources, an address into a place.

Everything here raises BadInput with one sentence that names the input, what is wrong and what to
do. No module of this package calls a service.
"""

from dataware.ops.inputs.addresses import Address, parse_pair
from dataware.ops.inputs.app import AppRun, load_app
from dataware.ops.inputs.wanted import App, Environment, Overrides

__all__ = ["Address", "App", "AppRun", "Environment", "Overrides", "load_app", "parse_pair"]
