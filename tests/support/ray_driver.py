"""`python -m tests.support.ray_driver PORT`: the app on a local Ray cluster of two cores."""

import sys

import ray
from ray import serve

from deploy.ray_serve import app

ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 * 1024 * 1024)
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
serve.run(app({"replicas": "2"}), blocking=True)
