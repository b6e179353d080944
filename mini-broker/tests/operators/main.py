"""What operators bring looks at a mini broker from outside. README.md says what is checked."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "real-programs/suite"))

import install  # noqa: E402
from broker import build, build_options  # noqa: E402
from report import Report  # noqa: E402

import browser  # noqa: E402
import burrow  # noqa: E402
import command  # noqa: E402
import prometheus  # noqa: E402
import reader  # noqa: E402
from place import Place  # noqa: E402

CHECKS = {
    "burrow": burrow.check,
    "prometheus": prometheus.check,
    "reader": reader.check,
    "command": command.check,
    "browser": browser.check,
}


def main():
    options = arguments()
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="operators-"))
    report = Report()
    try:
        binary = options.broker or build(options.features, options.release)
        for name in options.only.split(","):
            print(f"\n{name}", file=sys.stderr)
            place = Place(binary, work / name, report, Path(options.shots) if options.shots else None)
            try:
                CHECKS[name](place)
            finally:
                place.stop()
    except install.Missing as missing:
        raise SystemExit(f"{missing}") from None
    print(f"\n{report.tables()}\n")
    for where, detail in report.failures:
        print(f"FAILED {' / '.join(where)}: {detail}")
    if report.failures or options.keep:
        print(f"logs and data: {work}")
    else:
        shutil.rmtree(work)
    print(f"{time.monotonic() - started:.0f} s")
    print(f"{report.passed} passed, {len(report.failures)} failed")
    return 1 if report.failures else 0


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    build_options(parser)
    parser.add_argument("--only", metavar="A,B", default=",".join(CHECKS), help=f"some of {', '.join(CHECKS)}")
    parser.add_argument("--shots", metavar="DIR", help="where to keep pictures of every page")
    parser.add_argument("--keep", action="store_true", help="keep logs and data though all passed")
    options = parser.parse_args()
    unknown = [name for name in options.only.split(",") if name not in CHECKS]
    if unknown:
        parser.error(f"--only {','.join(unknown)}: expected some of {', '.join(CHECKS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
