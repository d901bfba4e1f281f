"""The version of Supervisor that we stand for: what `supervisord -v` and clients are told."""

VERSION = "4.3.0"

# Our own.  A test compares it with pyproject.toml; asking importlib.metadata would load a megabyte.
PROCTOR_VERSION = "0.1.0"
