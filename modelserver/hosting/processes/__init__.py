"""Processes that answer requests: one or several, and an app that lets them listen at once.

In: what makes the app, settings, signals. Out: an ASGI app; and nothing, once the server has ended.
It may import uvicorn, and of the rest of `hosting` what every room may.
"""
