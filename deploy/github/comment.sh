#!/usr/bin/env bash
# Keeps one comment of a pull request for each account: edits the one of last time, or writes the first.
set -euo pipefail
# shellcheck source=marker.sh
source "${BASH_SOURCE[0]%/*}/marker.sh"

comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
# Only what a bot wrote is edited: anybody can write a comment that begins in the same way.
mine='.[] | select(.user.type == "Bot") | select(.body | startswith(env.marker)) | .id'
keep() {
    local id
    id=$(gh api --paginate "$comments?per_page=100" --jq "$mine" | head -n 1) || return 1
    if [[ -n $id ]]; then
        gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$MARKDOWN" --silent
    else
        gh api --method POST "$comments" --field "body=@$MARKDOWN" --silent
    fi
}
if ! keep; then
    # A pull request from a fork has a token that only reads, and a summary all the same.
    echo "::warning::the comment could not be written; the plan is in the job's summary"
fi
