"""Recognises faults of a store in errors of Spark, of Hadoop and of delta-rs.

The message of such an error can contain a secret or a value, so only its kind is reported.
"""

from contextlib import suppress
from enum import Enum
from typing import Any

from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JJavaError
from pyspark.errors.exceptions.captured import CapturedException


class StoreFault(Enum):
    """What is wrong with a store."""

    REFUSED = "the store refuses access"
    FAILED = "the store is full or does not answer"


# Texts of errors. Classes of Java are without their package, as the text of an error of a Spark
# task has only that of the innermost cause.
_SIGNS = {
    StoreFault.REFUSED: (
        "AccessDeniedException",
        "AccessControlException",
        "NoAuthWithAWSException",
        "403 Forbidden",
        "PermissionDenied",
    ),
    StoreFault.FAILED: (
        "QuotaExceededException",
        "java.net.ConnectException",
        "java.net.NoRouteToHostException",
        "java.net.SocketException",
        "java.net.SocketTimeoutException",
        "java.net.UnknownHostException",
        "org.apache.hadoop.fs.s3a.AWS",
        "org.apache.hadoop.ipc.RemoteException",
        "software.amazon.awssdk.core.exception.SdkClientException",
        "Generic S3 error",
        "Generic HdfsObjectStore error",
    ),
}


def store_fault(error: BaseException) -> StoreFault | None:
    """The fault of a store that an error reports; None for any other error."""
    if isinstance(error, PermissionError):
        return StoreFault.REFUSED
    if isinstance(error, ConnectionError):
        return StoreFault.FAILED
    if not isinstance(error, DeltaError | OSError | Py4JJavaError | CapturedException):
        return None
    texts = [str(error), *java_classes(error)]
    for fault, signs in _SIGNS.items():
        if any(sign in text for sign in signs for text in texts):
            return fault
    return None


def java_classes(error: BaseException) -> list[str]:
    """Classes of an error of Java and of its causes; empty for another error."""
    classes = []
    # The Java process can have ended.
    with suppress(Exception):
        thrown: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
        while thrown is not None:
            classes.append(thrown.getClass().getName())
            thrown = thrown.getCause()
    return classes
