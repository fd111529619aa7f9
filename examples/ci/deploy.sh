#!/bin/sh
# After the merge: brings every host of the stack to what the program says, behind the same gate.
#   STACK=prod sh examples/ci/deploy.sh
set -eu
: "${STACK:?name of the stack, such as prod}"

# One host that fails does not keep the others from their change; the job fails all the same.
pulumi up --stack "$STACK" --yes --skip-preview --continue-on-error --non-interactive \
    --policy-pack policies --policy-pack-config "policies/config/${POLICIES:-$STACK}.json"
