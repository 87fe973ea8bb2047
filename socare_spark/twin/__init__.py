"""The synthetic study: extracts with the published marginals, and the expected figures.

No real person is in it. A dataset is drawn in the folder of its subject (agreements, assessments,
requests, housing), for the people of population/. csv_writer/ writes it, truth/ counts the figures
that jobs must find in it, and study.py does one dataset after the other.
"""

from socare_spark.twin.study import write_twin

__all__ = ["write_twin"]
