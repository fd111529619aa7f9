#!/bin/sh
# On a schedule: how the hosts differ from what was applied there. Ends with 1 when something differs, with 2 when a host
# could not be looked at.
#   STACK=prod sh examples/ci/drift.sh
set -eu
: "${STACK:?name of the stack, such as prod}"

if [ -d bin/cli ]; then systemd() { node bin/cli/main.js "$@"; }; else systemd() { npx --no-install pulumi-systemd "$@"; }; fi

systemd drift --stack "$STACK"
