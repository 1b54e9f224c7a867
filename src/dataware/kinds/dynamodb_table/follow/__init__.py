"""Follows a table: `following` says how; a function in the account uses some of its parts alone."""
