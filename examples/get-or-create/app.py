"""Three stacks of one app, each with names that carry the stage."""

import aws_cdk as cdk
from stacks import Accounts, Processing, Site

app = cdk.App()
stage = app.node.try_get_context("stage")
accounts = Accounts(app, "Accounts", stage=stage)
processing = Processing(app, "Processing", stage=stage, users=accounts.users)
Site(app, "Site", stage=stage, uploads=processing.uploads)
app.synth()
