"""The version of Supervisor that we stand for: what `supervisord -v` and clients are told."""

VERSION = "4.3.0"
