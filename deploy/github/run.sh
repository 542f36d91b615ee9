#!/usr/bin/env bash
# Runs trueup once, and leaves the plan as text in the log, as Markdown in the summary and as JSON in a file. Never
# fails by itself: the exit code is an output, and the last step ends with it.
set -euo pipefail

folder=$(mktemp -d "$RUNNER_TEMP/plan.XXXXXX")
markdown="$folder/plan.md"
plan="$folder/plan.json"

case $COMMAND in
plan) arguments=(plan --detailed-exitcode --out "$plan" --markdown-into "$markdown" --annotations github) ;;
drift) arguments=(drift --json-into "$plan" --markdown-into "$markdown" --annotations github) ;;
apply)
    arguments=(apply --auto-approve --receipt "$folder/receipt.json" --markdown-into "$markdown")
    if [[ -n $PLAN ]]; then
        arguments+=(--plan "$PLAN")
    fi
    ;;
*)
    echo "::error::the input command is none of plan, drift and apply"
    exit 1
    ;;
esac
while IFS= read -r argument; do
    if [[ -n $argument ]]; then
        arguments+=("$argument")
    fi
done <<<"$ARGUMENTS"

# Nothing in trueup's output is a command to the runner but the annotations, which are on stderr. Stdout stands where the
# runner does not listen all the same.
pause=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
code=0
echo "::stop-commands::$pause"
if [[ $COMMAND == apply ]]; then
    "$BINARY" "${arguments[@]}" || code=$?
else
    "$BINARY" "${arguments[@]}" 2>"$folder/stderr" || code=$?
fi
echo "::$pause::"
if [[ -s $folder/stderr ]]; then
    cat "$folder/stderr" >&2
fi

{
    echo "exit-code=$code"
    case $code in
    0) echo "changes=false" ;;
    2) echo "changes=true" ;;
    esac
    if [[ -s $plan ]]; then echo "plan=$plan"; fi
    if [[ -s $markdown ]]; then echo "markdown=$markdown"; fi
    if [[ -s $folder/receipt.json ]]; then echo "receipt=$folder/receipt.json"; fi
} >>"$GITHUB_OUTPUT"
if [[ -s $markdown ]]; then
    cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
fi
