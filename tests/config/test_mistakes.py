"""Mistakes: the original's words first, then the place, what was expected and what to try."""

from __future__ import annotations

import json

import pytest

from config.a_world import MAIN, START, AWorld, mistake, mistakes, read, warnings
from proctor.config.commandline import Overrides
from proctor.config.load import check_file
from proctor.config.problems import Place
from proctor.core.passwords import hashed

PROGRAM = "[program:x]\ncommand=c\n"
SUFFIX = f" in section 'program:x' (file: '{MAIN}')"
EVENTS = "[eventlistener:e]\ncommand=c\nevents=TICK\n"
FCGI = "[fcgi-program:f]\ncommand=c\nsocket=unix:///tmp/s\n"
LOGIN = (
    " contains incomplete authentication: If a username or a password is specified, both the "
    "username and password must be specified"
)

# Text of the file after [supervisord], and the original's message.
OBSERVED = [
    ("minfds=x\n", "invalid literal for int() with base 10: 'x'"),
    ("logfile=/nope/x\n", "The directory named as part of the path /nope/x does not exist"),
    ("user=nope\n", "Invalid user name nope"),
    ("environment='A'\n B\n", "Unexpected end of key/value pairs in value ''A'\nB'"),
    ("childlogdir=\n", " is not an existing directory"),
    ("foo\n", f"Source contains parsing errors: '{MAIN}'\n\t[line  2]: 'foo\\n'"),
    ("[include]\n", ".ini file has [include] section, but no files setting"),
    (
        "[include]\nfiles=%(x)s\n",
        "Format string '%(x)s' for 'include.files' contains names ('x') which cannot be expanded. "
        "Available names: ENV_HOME, ENV_LANG, here, host_node_name",
    ),
    ("[program:x]\n", "program section program:x does not specify a command" + SUFFIX),
    ("[program:a b]\ncommand=c\n", "Invalid name: 'a b' because of character: ' '"),
    (PROGRAM + "priority=z\n", "invalid literal for int() with base 10: 'z'"),
    (PROGRAM + "numprocs=l\n", "invalid literal for int() with base 10: 'l'" + SUFFIX),
    (
        PROGRAM + "numprocs=2\n",
        "%(process_num) must be present within process_name when numprocs > 1" + SUFFIX,
    ),
    (
        PROGRAM + "process_name=a b\n",
        "Invalid name: 'a b' because of character: ' '" + SUFFIX,
    ),
    (
        PROGRAM + "process_name=%(here)s\n",
        "Invalid name: '/etc' because of character: '/'" + SUFFIX,
    ),
    (PROGRAM + "autorestart=*True*\n", "invalid 'autorestart' value '*true*'" + SUFFIX),
    (
        PROGRAM + "stopasgroup=true\nkillasgroup=false\n",
        "Cannot set stopasgroup=true and killasgroup=false" + SUFFIX,
    ),
    (PROGRAM + "kill_mode=all\n", "invalid 'kill_mode' value 'all'" + SUFFIX),
    (
        PROGRAM + "kill_mode=tree\nkillasgroup=false\n",
        "Cannot set kill_mode=tree and killasgroup=false" + SUFFIX,
    ),
    (
        PROGRAM + "kill_mode=process\nstopasgroup=true\n",
        "Cannot set kill_mode=process and stopasgroup=true" + SUFFIX,
    ),
    (
        PROGRAM + "command=50%\n",
        "Format string '50%' for 'program:x.command' is badly formatted: incomplete format"
        + SUFFIX,
    ),
    (
        PROGRAM + "startsecs=%(process_num)s\n",
        "Format string '%(process_num)s' for 'program:x.startsecs' contains names ('process_num') "
        "which cannot be expanded. Available names: ENV_HOME, ENV_LANG, group_name, here, "
        "host_node_name, program_name" + SUFFIX,
    ),
    (
        PROGRAM + "stdout_logfile=/nope/x\n",
        "The directory named as part of the path /nope/x does not exist" + SUFFIX,
    ),
    (
        PROGRAM + "autostart=true\n  [program:y]\n",
        "not a valid boolean value: 'true\\n[program:y]'" + SUFFIX,
    ),
    (
        PROGRAM + "[group:g]\nprograms=x,y\n",
        "[group:g] names unknown program or fcgi-program y",
    ),
    (
        PROGRAM + FCGI + "[program:f]\ncommand=c\n[group:g]\nprograms=f\n",
        "[group:g] name f is ambiguous (exists as program and fcgi-program)",
    ),
    (PROGRAM + "[group:g g]\nprograms=x\n", "Invalid name: 'g g' because of character: ' '"),
    ("[fcgi-program:f]\ncommand=c\n", '[fcgi-program:f] section requires a "socket" line'),
    (FCGI + "socket=\n", '[fcgi-program:f] section requires a "socket" line'),
    (
        FCGI + "socket=foo\n",
        "('Bad socket format %s', 'foo') in [fcgi-program:f] socket",
    ),
    (
        FCGI + "socket=tcp://h:1\nsocket_mode=0700\n",
        "socket_owner and socket_mode params should only be used with a Unix domain socket in "
        "[fcgi-program:f] socket",
    ),
    (FCGI + "socket_owner=nnn\n", "Invalid socket_owner value nnn"),
    (FCGI + "socket_mode=99\n", "Invalid socket_mode value 99"),
    (FCGI + "socket_backlog=0\n", "Invalid socket_backlog value 0"),
    ("[eventlistener:e]\ncommand=c\n", '[eventlistener:e] section requires an "events" line'),
    (EVENTS + "events=foo\n", "Unknown event type FOO in [eventlistener:e] events"),
    (EVENTS + "events=TICK,\n", "Unknown event type  in [eventlistener:e] events"),
    (EVENTS + "buffer_size=0\n", "[eventlistener:e] section sets invalid buffer_size (0)"),
    (EVENTS + "result_handler=a:b\n", "a:b cannot be resolved within [eventlistener:e]"),
    (
        EVENTS + "redirect_stderr=true\n",
        "[eventlistener:e] section sets redirect_stderr=true but this is not allowed because it "
        "will interfere with the eventlistener protocol",
    ),
    (
        "[rpcinterface:a]\n",
        "section [rpcinterface:a] does not specify a supervisor.rpcinterface_factory",
    ),
    (
        "[rpcinterface:a]\nsupervisor.rpcinterface_factory=foo\n",
        "foo cannot be resolved within [rpcinterface:a]",
    ),
    ("[unix_http_server]\n", "section [unix_http_server] has no file value"),
    ("[unix_http_server]\nfile=/x\nchmod=99\n", "Invalid chmod value 99"),
    ("[unix_http_server]\nfile=/x\nchown=nnn\n", "Invalid sockchown value nnn"),
    ("[unix_http_server]\nfile=/x\nusername=a\n", "Section [unix_http_server]" + LOGIN),
    ("[inet_http_server]\n", "section [inet_http_server] has no port value"),
    ("[inet_http_server:x]\nport=abc\n", "not a valid port number: 'abc' "),
    ("[inet_http_server:x]\nport=1\npassword=x\n", "Section [inet_http_server:x]" + LOGIN),
]


@pytest.mark.parametrize(("text", "words"), OBSERVED)
def test_a_mistake_is_told_in_the_originals_words(text: str, words: str) -> None:
    """Each message was taken from a run of the original; G50 and G57 say what they should."""
    assert mistake(START + text) == words


def test_a_file_without_supervisord_section_is_refused() -> None:
    """Seeds A6 and C7."""
    for text in ("", PROGRAM):
        assert mistake(text) == ".ini file does not include supervisord section"


def test_text_before_any_section_is_refused() -> None:
    words = f"File contains no section headers.\nfile: '{MAIN}', line: 1\n'a=1\\n'"
    assert mistake("a=1\n" + START) == words


@pytest.mark.parametrize(("encoding", "line"), [("utf-8", 3), ("utf-16", 1)])
def test_nul_characters_are_refused_before_the_system_does(encoding: str, line: int) -> None:
    """No path, argument or variable can have one; files in UTF-16 are full of them."""
    world = AWorld(files={MAIN: (START + PROGRAM).replace("=c", "=a\0b").encode(encoding)})
    _, _, place = check_file(MAIN, Overrides(), world, as_json=False)[0].partition("\n  at ")
    assert place.splitlines()[:2] == [
        f"{MAIN}:{line}",
        "  expected text, in UTF-8, without NUL characters",
    ]


def test_a_mistake_in_an_included_file_names_the_first_file_of_the_section() -> None:
    """Observed; the true place follows."""
    text = START + "[include]\nfiles=conf.d/*.ini\n"
    bad = "[program:x]\nnumprocs=l\n"
    found = mistakes(text + PROGRAM, x=bad)
    assert found.text.endswith(SUFFIX)
    assert "at /etc/conf.d/x.ini:2 [program:x] numprocs" in str(found)
    assert mistake(text, x=bad + "command=c\n").endswith("(file: '/etc/conf.d/x.ini')")


def test_all_mistakes_are_gathered_in_the_originals_order() -> None:
    found = mistakes(
        START + "minfds=a\nloglevel=b\n[inet_http_server]\nport=c\n[program:x]\nautostart=3\n"
        "[rpcinterface:y]\n[group:g]\nprograms=nope\n"
    )
    assert [f"{problem.section} {problem.option}" for problem in found.problems] == [
        "supervisord minfds",
        "supervisord loglevel",
        "rpcinterface:y ",
        "group:g programs",
        "program:x autostart",
        "program:x command",
        "inet_http_server port",
    ]


def test_a_mistake_comes_with_place_expectation_and_hint() -> None:
    found = mistakes(START + PROGRAM + "autostart=ture\n")
    assert str(found).splitlines() == [
        "not a valid boolean value: 'ture'" + SUFFIX,
        f"  at {MAIN}:4 [program:x] autostart",
        "  expected true or false (also yes, no, on, off, 1, 0)",
        "  hint: did you mean true?",
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (PROGRAM + "numprocs=l\n", "this is a letter; did you mean 1?"),
        (PROGRAM + "startsecs=5;five\n", "did you mean a comment?"),
        (PROGRAM + "autostart=true\n [program:y]\n", f"{MAIN}:5 is indented"),
        ("[program:worker]\ncommand=c\n[group:g]\nprograms=wroker\n", "did you mean worker?"),
        (EVENTS + "events=PROCESS_STAT\n", "did you mean PROCESS_STATE?"),
        (PROGRAM + "directory=%(heer)s\n", "did you mean %(here)s?"),
        ("[rpcinterface:y]\nsupervisor.rpcinterface_factory=a:b\n", "ModuleNotFoundError"),
    ],
)
def test_a_usual_mistake_gets_a_hint(text: str, hint: str) -> None:
    """Seed C4, gotchas G44 and G46."""
    assert hint in mistakes(START + text).problems[0].hint


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("umask=rwx\n", "022"),
        ("[unix_http_server]\nfile=/s\nchmod=rwx\n", "0700"),
        (FCGI + "socket_mode=rwx\n", "0700"),
    ],
)
def test_an_example_fits_the_option(text: str, example: str) -> None:
    """Whoever writes it has what is usual there."""
    found = mistakes(START + text).problems[0]
    assert found.expected == f"an octal number such as {example}"


def a_check(
    text: str, *, as_json: bool = False, strict: bool = False, **more: str
) -> tuple[str, bool]:
    """What `--check` says of such a file."""
    world = AWorld()
    world.put(MAIN, text)
    return check_file(MAIN, Overrides(), world, as_json=as_json, strict=strict, **more)


@pytest.mark.parametrize("line", ["password=s3cret", "username=x\npassword=s3cret%"])
def test_secrets_stay_out_of_reports(line: str) -> None:
    text = START + f"[inet_http_server]\nport=1\n{line}\n[program:x]\n"
    assert "s3cret" not in a_check(text, as_json=True)[0]
    assert "s3cret" not in a_check(text)[0]


def test_the_report_lists_every_mistake_and_warning() -> None:
    text, good = a_check(START + "minfds=a\n" + PROGRAM + "autostart=b\nfoo=1\n")
    assert not good
    assert f"at {MAIN}:2 [supervisord] minfds" in text
    assert f"at {MAIN}:5 [program:x] autostart" in text
    assert f"unknown option 'foo' in [program:x] is ignored ({MAIN}:6)" in text


def test_a_header_without_its_bracket_is_warned_about() -> None:
    """It goes on to mean what it means there; the program that it would begin is lost."""
    notes = read(START + "[progam:b]\n[program:a\ncommand=/bin/cat\n" + PROGRAM).notes
    found = next(note for note in notes if "]'" in note.text)
    assert found.text == "[program:a has no ']', so it begins no section: [progam:b] goes on"
    assert (found.hint, found.place) == ("did you mean [program:a]?", Place(MAIN, 3))
    lost = START + "[program:a\ncommand=/bin/cat\n"
    assert [note.hint for note in read(lost).notes] == ["did you mean [program:a]?", ""]


def test_warnings_are_counted_and_bad_for_whoever_is_strict() -> None:
    """A pipeline that asks for it is stopped by a misspelt option."""
    text, good = a_check(START + PROGRAM + "autorestrat=no\n")
    assert (text.splitlines()[-1], good) == (f"{MAIN}: no mistakes, 1 warning", True)
    text, good = a_check(START + "[progam:b]\n" + PROGRAM + "autorestrat=no\n", strict=True)
    assert (text.splitlines()[-1], good) == (f"{MAIN}: no mistakes, 2 warnings", False)
    assert a_check(START + PROGRAM, strict=True)[1]
    for strict in (False, True):
        text, good = a_check(START + "foo=1\n", as_json=True, strict=strict)
        assert (json.loads(text)["ok"], good) == (not strict, not strict)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("startretries=-2", "startretries=-2 is below 0: no failed start is tried again"),
        ("stopwaitsecs=-5", "stopwaitsecs=-5 is below 0: SIGKILL follows the stop signal at once"),
        ("[program:]\ncommand=c", "has no name behind the colon"),
        ("[group:]\nprograms=x", "has no name behind the colon"),
    ],
)
def test_what_the_original_takes_without_a_word(text: str, said: str) -> None:
    """So do we, with one."""
    (warning,) = warnings(read(START + PROGRAM + f"{text}\n"))
    assert warning.partition("] ")[2] == said


def test_a_socket_whose_path_is_too_long() -> None:
    """Found out before anything stops; 107 bytes are no more than the system takes."""
    server = START + "[unix_http_server]\nfile=/tmp/" + "é" * 51
    assert read(server).servers
    (problem,) = mistakes(server + "s\n").problems
    assert problem.text.endswith("socket.error reported AF_UNIX path too long")
    assert (problem.place, problem.option) == (Place(MAIN, 3), "file")


def test_a_log_that_is_a_directory() -> None:
    """Also one that was a file when this was said the last time."""
    assert mistake(START + "logfile=/tmp\n") == "logfile: /tmp is a directory"


def test_tools_get_the_same_keys_for_every_mistake_and_note() -> None:
    """Editors and pipelines are built on them."""
    text, _ = a_check(
        START + "minfds=a\n" + PROGRAM + "autostrat=no\nredirect_stderr=1\nstderr_logfile=/tmp/e\n",
        as_json=True,
    )
    found = json.loads(text)
    assert found["ok"] is False
    assert found["problems"] == [
        {
            "level": "error",
            "file": MAIN,
            "line": 2,
            "section": "supervisord",
            "option": "minfds",
            "value": "a",
            "expected": "a whole number",
            "hint": "",
            "text": "invalid literal for int() with base 10: 'a'",
        }
    ]
    assert {tuple(note) for note in found["notes"]} == {tuple(found["problems"][0])}
    typo = next(note for note in found["notes"] if note["option"] == "autostrat")
    assert (typo["file"], typo["line"], typo["section"]) == (MAIN, 5, "program:x")
    assert typo["hint"] == "did you mean autostart?"


def test_a_file_that_cannot_be_found_is_a_mistake_for_tools_too() -> None:
    text, good = check_file(None, Overrides(), AWorld(), as_json=True, program="/opt/bin/x")
    assert not good
    assert json.loads(text)["problems"][0]["text"].startswith("No config file found at default")


def test_a_report_can_be_shown_on_any_terminal() -> None:
    text, _ = a_check(START + "user=中文\n", encoding="ascii")
    assert "Invalid user name \\u4e2d\\u6587" in text


def test_a_good_file_has_an_empty_report() -> None:
    assert a_check(START) == (f"{MAIN}: no mistakes", True)
    assert json.loads(a_check(START, as_json=True)[0]) == {"ok": True, "problems": [], "notes": []}


@pytest.mark.parametrize("width", ["5%(here)c", "%(here)999999999999s"])
def test_an_expansion_that_bursts_is_a_mistake(width: str) -> None:
    """Python raises MemoryError for the second."""
    assert "is badly formatted" in mistake(START + PROGRAM + f"directory={width}\n")


@pytest.mark.parametrize("port", ["9001", "*:9001", "10.0.0.1:9001"])
def test_a_server_open_to_all_without_a_login_is_a_warning(port: str) -> None:
    """It starts, as the original does, but not silently (scenarios section 1, rule 2)."""
    [said] = warnings(read(START + f"[inet_http_server]\nport={port}\n"))
    assert said.startswith("[inet_http_server] needs no login: whoever can reach port 9001")


HASH = hashed(b"secret", b"0123456789abcdef")


def test_a_server_for_this_host_or_with_a_login_is_no_warning() -> None:
    for more in ("port=127.0.0.1:9", "port=localhost:9", f"port=9\nusername=a\npassword={HASH}"):
        assert warnings(read(START + f"[inet_http_server]\n{more}\n")) == []
