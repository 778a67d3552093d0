"""Before a deployment: the model's packages, the pre-flight, the bundle. Not needed to serve."""
