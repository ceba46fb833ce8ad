#!/bin/sh
# Run what the image of the Dockerfile holds without a container engine: as its user, with its
# variables, on a read-only root and a key, and ask it for /readyz, /v1/predict and what it may write.
#
#   c=$(buildah from serenade) && tools/check_image.sh "$(buildah mount "$c")"
#
# Needs root, as mounting does, and a free port 8000.
set -eu

root=${1:?"give the folder of the unpacked image"}
here=$(cd "$(dirname "$0")/.." && pwd)
key=$(head -c 18 /dev/urandom | base64 | tr '+/' '-_')
hash=$(printf %s "$key" | sha256sum | cut -d' ' -f1)
variables=$(sed -n 's/^ENV //p' "$here/Dockerfile" | tail -1 | sed "s|\$PATH|/usr/local/bin:/usr/bin:/bin|")
log=$(mktemp)

run() {
    exec unshare --mount sh -ec '
        mount --bind "$0" "$0"
        mount -o remount,bind,ro "$0"
        exec chroot --userspec=10001:10001 "$0" env -i '"$variables"' "$@"
    ' "$root" "$@"
}

(run sh -c 'id -u; touch /nobody-can-write 2>&1 || true') | tee "$log"
grep -q '^10001$' "$log"
grep -q 'Read-only file system' "$log"

run env "SERENADE_API_KEY_HASHES=$hash" serenade serve >"$log" 2>&1 &
service=$!
trap 'kill "$service" 2>/dev/null || true; cat "$log"; rm -f "$log"' EXIT
for _ in $(seq 120); do
    curl -fsS http://127.0.0.1:8000/readyz 2>/dev/null && break
    kill -0 "$service"
    sleep 0.5
done
echo
clip=$here/samples/loud_voice.flac
status=$(curl -s -o /dev/null -w '%{http_code}' --data-binary "@$clip" http://127.0.0.1:8000/v1/predict)
test "$status" = 401
curl -fsS --data-binary "@$clip" -H 'Content-Type: audio/flac' -H "Authorization: Bearer $key" \
    http://127.0.0.1:8000/v1/predict
echo
kill -TERM "$service"
ended=0
wait "$service" || ended=$?
test "$ended" -eq 0 -o "$ended" -eq 143 # after its last answer it ends by the signal
trap - EXIT
rm -f "$log"
echo "the image works: user 10001, read-only root, key needed, ended by SIGTERM"
