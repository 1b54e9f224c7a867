"""dataware: looks at the data first, then keeps, imports, creates or migrates."""

__version__ = "0.1.0"
