#!/bin/sh
# Before the merge: what a change brings to each host, and whether the gate lets it pass. No host is asked.
#   STACK=prod BASE=origin/main sh examples/ci/check.sh
set -eu
: "${STACK:?name of the stack, such as prod}"
: "${BASE:?revision to compare with, such as origin/main}"
report=${REPORT:-review}

if [ -d bin/cli ]; then systemd() { node bin/cli/main.js "$@"; }; else systemd() { npx --no-install pulumi-systemd "$@"; }; fi

mkdir -p "$report"
policies=policies/config/${POLICIES:-$STACK}.json
systemd review --stack "$STACK" --base "$BASE" --policy-pack-config "$policies" \
    --markdown "$report/review.md" --html "$report/review.html"
pulumi preview --stack "$STACK" --diff --non-interactive \
    --policy-pack policies --policy-pack-config "$policies"
