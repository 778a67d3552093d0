"""The Open Inference Protocol v2 (https://github.com/kserve/open-inference-protocol): what clients
of KServe, MLServer and Triton send and read.

In: JSON with tensors by name, for a model with columns one for each column. Out: the same. How
texts, bytes and dates are written follows MLServer, since the protocol leaves that open. Requests
are read by the model's signature, as those to /invocations. Tensors as binary data behind the JSON,
an extension of the protocol, are refused.
"""
