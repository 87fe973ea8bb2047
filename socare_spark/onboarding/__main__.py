"""The command `scripts/onboard`."""

import sys

from socare_spark.onboarding.command import main

sys.exit(main())
