#!/usr/bin/env bash
# Packs a built binary and what belongs to it. The same inputs give the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target=$1
binary="target/$target/release/trueup"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

install -m 755 "$binary" "$folder/trueup"
install -m 644 LICENSE README.md CHANGELOG.md "$folder/"
"$binary" man --out "$folder/man"
mkdir "$folder/completions"
"$binary" completions bash >"$folder/completions/trueup.bash"
"$binary" completions zsh >"$folder/completions/_trueup"
"$binary" completions fish >"$folder/completions/trueup.fish"
mkdir -p dist
date=$(git log -1 --format=%cI)
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="$date" -C "$folder" -c . | gzip -n >"dist/trueup-$target.tar.gz"
