"""gatekeeper decides whether a medical-imaging model may be released."""

__version__ = "0.1.0"
