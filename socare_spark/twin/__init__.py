"""The synthetic study: extracts with the published marginals, and the truth about them (no real
person is in it).
"""

from socare_spark.twin.study import write_twin

__all__ = ["write_twin"]
