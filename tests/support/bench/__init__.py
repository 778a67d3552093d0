"""The benchmark: MLflow's own server, ours, and the limit, in turns on the same bodies.

`python -m tests.support.bench [--only NAME …] [--rounds N] [--seconds S] [--write FILE]` prints
Markdown. Models are saved into a temporary folder (`models`); the servers (`servers`) are real
processes on 127.0.0.1, started once per model, and must agree on every prediction before they are
measured (`measure`). The limit (`limit`) is a bare Starlette app with our uvicorn options that does
what no server can leave out. The client (`client`) is this process. Machines are noisy: read the
ratios. Needs Linux (/proc, epoll).
"""
