"""Working a frame out once, for steps that build on one another."""

from pyspark.sql import DataFrame


def checkpointed(frame: DataFrame) -> DataFrame:
    """The rows of a frame, worked out now, without the way to them.

    A cached frame keeps its whole plan, and Spark prints, compares and optimises it again in every
    plan that uses it: with a dozen steps that stand on one another that takes longer than the work.
    """
    return frame.localCheckpoint()
