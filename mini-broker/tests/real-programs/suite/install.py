"""Fetches the programs, once, into a cache folder: ${XDG_CACHE_HOME:-~/.cache}/kafka-workshop."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kafka-workshop"

# An archive of classes is of use only to a Java VM with the same collector. Without a word: standard output is the
# programs' own.
QUIET_JAVA = ["-XX:+UseSerialGC", "-Xlog:disable"]


class Missing(Exception):
    """Something this script cannot install by itself."""


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr, **options)


def need(program, package):
    if shutil.which(program):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {package}", file=sys.stderr)
        run("apt-get", "install", "-y", "-q", package)
    else:
        raise Missing(f"{program} is missing (Debian: apt install {package})")


def kcat():
    need("kcat", "kcat")


def python(pins=HERE / "python/requirements.txt"):
    """A virtual environment with the pinned clients; returns its interpreter."""
    venv = CACHE / f"python-{digest(pins)}"
    if not (venv / "complete").exists():
        print(f"fetching what {pins} names", file=sys.stderr)
        run(sys.executable, "-m", "venv", "--clear", venv)
        run(venv / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r", pins)
        (venv / "complete").touch()
    return venv / "bin/python"


def node():
    """kafkajs and its plug-ins by `npm ci`; returns the folder of modules."""
    need("node", "nodejs")
    need("npm", "npm")
    lock = HERE / "node/package-lock.json"
    folder = CACHE / f"node-{digest(lock)}"
    if not (folder / "complete").exists():
        print("fetching kafkajs", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        for file in (HERE / "node").glob("package*.json"):
            shutil.copy(file, folder)
        # Without install scripts: nothing is compiled, the plug-ins bring what they need.
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", cwd=folder)
        (folder / "complete").touch()
    return folder / "node_modules"


def kafka_jars():
    """Kafka's jars; returns the class path."""
    need("javac", "default-jdk-headless")
    need("mvn", "maven")
    script = '. "$1/kafka.sh" && kafka_jars && echo "$KAFKA_JARS"'
    done = subprocess.run(["bash", "-c", script, "bash", HERE], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Missing("the jars of Apache Kafka could not be fetched")
    return done.stdout.strip()


def java_classes():
    """Our own Java programs, compiled, as a jar; beside it is an archive of loaded classes, for a quick start."""
    sources = sorted((HERE / "java").glob("*.java"))
    folder = CACHE / f"java-{digest(HERE / 'java/pom.xml', *sources)}"
    jar = folder / "programs.jar"
    if not (folder / "complete").exists():
        classes = folder / "classes"
        run("javac", "-cp", kafka_jars(), "-d", classes, *sources)
        run("jar", "--create", "--file", jar, "-C", classes, ".")
        dump = [*QUIET_JAVA, f"-XX:ArchiveClassesAtExit={folder}/loaded.jsa"]
        run("java", *dump, "-cp", f"{kafka_jars()}:{jar}", "Warm")
        (folder / "complete").touch()
    return jar


def digest(*files):
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
