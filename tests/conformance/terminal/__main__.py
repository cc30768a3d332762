"""`python3 -m terminal enrol CODE FOLDER` and `python3 -m terminal run FOLDER`."""

import argparse
import os
import signal
import sys

from . import identity
from .clips import Clips
from .session import Session
from .speaker import Speaker

CHARACTERS_PER_S = 6.0


def main():
    parser = argparse.ArgumentParser(prog="terminal")
    verbs = parser.add_subparsers(dest="verb", required=True)
    enrol = verbs.add_parser("enrol")
    enrol.add_argument("code")
    enrol.add_argument("folder")
    run = verbs.add_parser("run")
    run.add_argument("folder")
    run.add_argument("--characters-per-s", type=float, default=CHARACTERS_PER_S)
    arguments = parser.parse_args()
    if arguments.verb == "enrol":
        identity.enrol(arguments.code, arguments.folder)
        return 0
    return _run(arguments)


def _run(arguments):
    own = identity.load(arguments.folder)
    clips = Clips(own.media_url, os.path.join(arguments.folder, "clips"))
    played = os.path.join(arguments.folder, "played.jsonl")
    speaker = Speaker(played, arguments.characters_per_s)
    session = Session(own, arguments.folder, speaker, clips)
    is_over = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: is_over.append(True))
    session.run(lambda: is_over)
    clips.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
