"""Checkpoints of frames that several steps build on."""

from pyspark.sql import DataFrame


def checkpointed(frame: DataFrame) -> DataFrame:
    """Computes the rows of a frame now and drops its plan.

    A cached frame keeps its whole plan. Spark prints, compares and optimises this plan again in
    each plan that uses it. With a dozen steps that takes longer than the computation.
    """
    return frame.localCheckpoint()
