"""Serves one MLflow model as a REST API.

Two flows that meet in the signature: scoring runs once per request, description once per load.
"""
