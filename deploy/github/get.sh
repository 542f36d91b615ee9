#!/usr/bin/env bash
# Finds the trueup to run: one that is there already, or a release whose origin is verified before it is unpacked.
set -euo pipefail

if [[ -z $BINARY ]]; then
    case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) target=x86_64-unknown-linux-musl ;;
    Linux-aarch64) target=aarch64-unknown-linux-musl ;;
    *)
        echo "::error::there is no release of trueup for $(uname -s) on $(uname -m); give one with the input binary"
        exit 1
        ;;
    esac
    folder=$(mktemp -d "$RUNNER_TEMP/trueup.XXXXXX")
    archive="trueup-$target.tar.gz"
    gh release download "v$VERSION" --repo trueup-iam/trueup --pattern "$archive" --dir "$folder"
    gh attestation verify "$folder/$archive" --repo trueup-iam/trueup
    tar -xzf "$folder/$archive" -C "$folder"
    BINARY="$folder/trueup"
fi
"$BINARY" --version
echo "binary=$BINARY" >>"$GITHUB_OUTPUT"
