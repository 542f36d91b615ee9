#!/usr/bin/env bash
# Keeps one open issue for each account that differs from its manifest, and closes it when there is nothing left.
set -euo pipefail
# shellcheck source=marker.sh
source "${BASH_SOURCE[0]%/*}/marker.sh"

issues="repos/$GITHUB_REPOSITORY/issues"
mine='.[] | select(.user.type == "Bot" and .pull_request == null) | select((.body // "") | startswith(env.marker)) | .number'
number=$(gh api --paginate "$issues?state=open&per_page=100" --jq "$mine" | head -n 1)
account=${marker//[^0-9]/}

case $CODE in
2 | 3)
    if [[ -n $number ]]; then
        gh api --method PATCH "$issues/$number" --field "body=@$MARKDOWN" --silent
    else
        gh api --method POST "$issues" --field "title=IAM drift in account $account" --field "body=@$MARKDOWN" --silent
    fi
    ;;
0)
    if [[ -n $number ]]; then
        gh api --method POST "$issues/$number/comments" --field "body=There is nothing left to act on: the last run found no drift." --silent
        gh api --method PATCH "$issues/$number" --field state=closed --silent
    fi
    ;;
*) echo "::warning::trueup ended with $CODE, so whether there is drift is not known, and the issue stays as it is" ;;
esac
