"""`python -m helpers.core.stage STAGE CITY`: a stage, forked where a warm process is at hand."""

import sys

from helpers.core.stage import warm

warm.run("helpers.core.stage.execute", sys.argv[1:])
