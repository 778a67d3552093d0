"""Connections of `python main.py`: what uvicorn reads without a bound is bounded here.

uvicorn makes a protocol for each connection, which parses HTTP with httptools or h11. In: how long
it may wait. Out: a subclass of that protocol. It may import uvicorn and `errors`.
"""
