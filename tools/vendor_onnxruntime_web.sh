#!/bin/sh
# Fetches the parts of onnxruntime-web that the page needs into the package.
# Why they are part of it: docs/adr (onnxruntime-web in the package).
# To update: change both pins, run, and run tests/e2e/page.
set -eu

version=1.30.0
checksum=d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71

target="$(cd "$(dirname "$0")/.." && pwd)/src/serenade/serving/static/vendor"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cd "$work"
npm pack --silent "onnxruntime-web@$version" > /dev/null
echo "$checksum  onnxruntime-web-$version.tgz" | sha256sum --check --quiet
tar xzf "onnxruntime-web-$version.tgz"

mkdir -p "$target"
cp package/dist/ort.wasm.min.mjs package/dist/ort-wasm-simd-threaded.mjs "$target"
# a quarter of the size; the service sends it as it is and the browser unpacks it
gzip -9 --no-name --stdout package/dist/ort-wasm-simd-threaded.wasm > "$target/ort-wasm-simd-threaded.wasm.gz"

cd "$target"
{
  sha256sum ort.wasm.min.mjs ort-wasm-simd-threaded.mjs
  printf '%s  ort-wasm-simd-threaded.wasm\n' "$(gunzip --stdout ort-wasm-simd-threaded.wasm.gz | sha256sum | cut -d ' ' -f 1)"
} > SHA256SUMS
printf '%s\n' "$version" > VERSION
echo "onnxruntime-web $version is in $target"
