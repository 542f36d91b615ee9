# shellcheck shell=bash
# The first line of a plan's Markdown names the account, and finds the comment or the issue of last time.
marker=$(head -n 1 "$MARKDOWN")
if [[ ! $marker =~ ^'<!-- trueup:'[0-9]{12}' -->'$ ]]; then
    echo "::error::the plan's Markdown does not begin with the account's marker"
    exit 1
fi
export marker
