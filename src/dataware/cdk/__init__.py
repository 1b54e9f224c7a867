"""CDK constructs that look at the data first."""
