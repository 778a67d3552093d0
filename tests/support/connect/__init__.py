"""A stand-in for Posit Connect: what rsconnect talks to, and what runs the content."""
