"""What people write, turned into values: an app into wanted resources, an address into a place.

Everything here raises InputError with one sentence that names the input, what is wrong and what to
do. No module of this package calls a service.
"""

from dataware.ops.inputs.addresses import ResourceAddress, parse_pair
from dataware.ops.inputs.app import AppRun, load_app
from dataware.ops.inputs.wanted import App, Overrides, StackEnvironment

__all__ = [
    "App",
    "AppRun",
    "Overrides",
    "ResourceAddress",
    "StackEnvironment",
    "load_app",
    "parse_pair",
]
