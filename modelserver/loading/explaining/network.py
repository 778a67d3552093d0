"""Faults between this machine and a server: certificates that are not trusted, and proxies.

In: the exception and the attempt that it ended. Out: a sentence, or None for other faults.
"""

import ssl
from typing import Final
from urllib.parse import urlsplit

from modelserver.loading.attempt import Attempt, public_uri
from modelserver.loading.explaining.causes import status_of
from modelserver.loading.stores import store_of
from modelserver.scoring.mlflow_internals import says

PROXY_ERRORS = frozenset({"ProxyError", "ProxyConnectionError"})
"""Exceptions of requests, urllib3 and botocore for a proxy."""

NO_AUTHORITIES: Final = "Could not find a suitable TLS CA certificate bundle"
"""Words of requests: a setting names a file of certificates that does not exist."""


def fault_of_network(error: BaseException, attempt: Attempt) -> str | None:
    """The advice if a certificate or a proxy kept a request from its server; None for other
    errors."""
    store = attempt.step == "fetching" and store_of(attempt.location)
    uri = attempt.location if store or attempt.host_of_files else attempt.tracking_uri or ""
    host = (store and store.host) or urlsplit(uri).hostname or "the host"
    server = f"the artifact store {public_uri(uri)}" if store else attempt.server
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {server} is not trusted ({error.verify_message}); set "
            f"{'AWS_CA_BUNDLE' if store else 'MLFLOW_TRACKING_SERVER_CERT_PATH'} or "
            "REQUESTS_CA_BUNDLE to a file with the certificate of its authority"
        )
    if isinstance(error, ssl.SSLError):
        return f"{server} does not answer with TLS; check whether it is http:// or https://"
    if says(error, NO_AUTHORITIES):
        return (
            "the file of certificates is not there; check REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and "
            "MLFLOW_TRACKING_SERVER_CERT_PATH"
        )
    if type(error).__name__ in PROXY_ERRORS or status_of(error) == 407:
        return (
            f"the proxy before {server} cannot be reached, or refuses; check HTTP_PROXY and "
            f"HTTPS_PROXY, or name {host} in NO_PROXY"
        )
    return None
