"""Serves one MLflow model as a REST API.

Two flows that meet in the signature: scoring, once per request, in the modules here; description,
once per load, in `openapi` and `pages`. What is done before a deployment is in `deployment`.
"""
