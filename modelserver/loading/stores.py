"""Artifact stores: in which one a model's files are, and which packages and settings it needs.

In: the URI of a model's files. Out: the row of the table for its scheme, or None. Each store is a
row; the packages are those that MLflow imports for its scheme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Store:
    """An artifact store, and what is needed to read its files."""

    name: str
    packages: Sequence[str]
    login: str
    """The credentials that it needs, as words for a message."""
    host: str = ""
    """The host that is asked, if the location does not name it, as words for a message."""


AWS: Final = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a role of the machine), for another server "
    "than Amazon's also MLFLOW_S3_ENDPOINT_URL"
)

AZURE: Final = (
    "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCESS_KEY, or a login of Azure "
    "(AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_SECRET)"
)

LAKE: Final = "a login of Azure (AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_SECRET)"

AWS_HOST: Final = "the host of MLFLOW_S3_ENDPOINT_URL (amazonaws.com without it)"

BLOB_PACKAGES: Final = ("azure-storage-blob", "azure-identity")

STORES: Final = {
    "s3": Store("S3", ["boto3"], AWS, AWS_HOST),
    "r2": Store("Cloudflare R2", ["boto3"], AWS),
    "b2": Store("Backblaze B2", ["boto3"], AWS),
    "gs": Store(
        "Google Cloud Storage",
        ["google-cloud-storage"],
        "GOOGLE_APPLICATION_CREDENTIALS, the path of a service account's key (or a role of the "
        "machine)",
        "storage.googleapis.com",
    ),
    "wasbs": Store("Azure Blob Storage", BLOB_PACKAGES, AZURE),
    "abfss": Store("Azure Data Lake", ["azure-storage-file-datalake", "azure-identity"], LAKE),
    "dbfs": Store(
        "DBFS",
        ["databricks-sdk"],
        "DATABRICKS_HOST and DATABRICKS_TOKEN",
        "the host of DATABRICKS_HOST",
    ),
    "hdfs": Store("HDFS", ["pyarrow"], "Hadoop's client (HADOOP_HOME) and MLFLOW_KERBEROS_USER"),
    "sftp": Store("SFTP", ["pysftp"], "a key of SSH for the host"),
    "ftp": Store("FTP", [], "a user and a password in the location"),
}

CONTAINERS: Final = frozenset({"wasbs", "wasb", "abfss", "abfs"})
"""Schemes of Azure. In their URIs, the text before the @ is a container and no login."""


def store_of(location: str) -> Store | None:
    """The store of a location; None if its scheme is not in the table."""
    return STORES.get(location.partition(":")[0].lower())
