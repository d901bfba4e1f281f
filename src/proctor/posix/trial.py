"""Try out a command that is to tell whether what is installed now could go on in our place."""

from __future__ import annotations

from collections.abc import Sequence

_HELP = "\nFor help, use"


class TrialFailed(Exception):
    """It could not; the text says why."""


def try_out(command: Sequence[str], state: bytes, seconds: float) -> str:
    """The line that the command prints when it has read `state` from its stdin and is content.

    Raises TrialFailed.  Waits up to `seconds`: call it in a thread.
    """
    import subprocess

    try:
        done = subprocess.run(
            command,
            input=state,
            check=False,
            capture_output=True,
            timeout=seconds,
            cwd="/",
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise TrialFailed(f"it did not answer within {seconds:g} seconds") from None
    except OSError as error:
        raise TrialFailed(f"it could not be started: {error.strerror}") from error
    if done.returncode != 0:
        raise TrialFailed(_reason(done.stderr) or f"it ended with status {done.returncode}")
    return done.stdout.decode(errors="replace").strip()


def _reason(stderr: bytes) -> str:
    """Our own words as they are, of a traceback the last line."""
    text = stderr.decode(errors="replace").strip()
    if text.startswith("Error: "):
        return text.removeprefix("Error: ").partition(_HELP)[0]
    return text.splitlines()[-1] if text else ""
