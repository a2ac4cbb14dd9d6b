#!/bin/sh
# Write requirements/*.txt from pyproject.toml: exact versions with hashes, for every platform and Python >= 3.11.
# usage: scripts/lock.sh UV [further options of `uv pip compile`, such as --upgrade]
# dev.txt is the whole set; the others are parts of it at the same versions. No index address is written.
set -eu
uv=$1
shift

compile() { # compile NAME OPTIONS...
    out=requirements/$1.txt
    shift
    "$uv" pip compile --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --output-file "$out" "$@" >/dev/null
}

compile dev pyproject.toml --extra all --group dev "$@"
compile runtime pyproject.toml --constraint requirements/dev.txt
compile all pyproject.toml --extra all --constraint requirements/dev.txt
compile build --group build --constraint requirements/dev.txt
compile lock --group lock "$@"
compile release --group release --constraint requirements/dev.txt
