#!/usr/bin/env bash
# The history of .github/workflows/nightly.yml, from one night to the next:
#   history.sh fetch   lays out what the last run on this branch kept, or nothing on the first night
#   history.sh pack    packs it for upload: history.tar.gz, or history.tar.gz.gpg where there is a passphrase
# Whoever can read the repository can download its artifacts, so a public one needs the passphrase.
set -euo pipefail

NAME=model-lab-history
PLAIN=history.tar.gz
ENCRYPTED=history.tar.gz.gpg
repository=${GITHUB_REPOSITORY:?}
state=${MODEL_LAB_MONITOR_STATE_DIR:?}
passphrase=${HISTORY_PASSPHRASE:-}

fail() {
  echo "::error title=History::$1"
  exit 4
}

# GitHub's own trouble must not look like a first night: that would open every issue anew.
# What a failed attempt said is dropped, as `gh api` prints the body of an error where the answer would be.
again() {
  for wait in 5 20 ''; do
    if said=$("$@"); then
      printf '%s' "$said"
      return 0
    fi
    if [[ -n $wait ]]; then sleep "${HISTORY_PAUSE_S:-$wait}"; fi
  done
  return 1
}

# The passphrase goes through a pipe: the list of processes shows none. gpg's agent, its folder, go with it.
with_passphrase() {
  local home status=0
  home=$(mktemp -d)
  gpg --homedir "$home" --batch --yes --quiet --pinentry-mode loopback --passphrase-fd 3 "$@" 3<<<"$passphrase" || status=$?
  gpgconf --homedir "$home" --kill all
  rm -rf "$home"
  return "$status"
}

fetch() {
  if [[ -z $passphrase ]]; then
    visibility=$(again gh api "repos/$repository" --jq .visibility) || fail "GitHub does not say who can read this repository."
    [[ $visibility != public ]] || fail "Everybody can read this repository and its artifacts: set the secret MODEL_LAB_HISTORY_PASSPHRASE to a long random text."
  fi
  install --directory --mode=0700 "$state"
  # Only of this branch in this repository: an artifact of this name from elsewhere, such as a fork's, is not ours.
  # shellcheck disable=SC2016 # the variables are jq's
  artifact=$(again gh api "repos/$repository/actions/artifacts?name=$NAME&per_page=100" --jq '
    [.artifacts[]
      | select(.expired | not)
      | select(.workflow_run.head_branch == env.GITHUB_REF_NAME)
      | select(.workflow_run.head_repository_id == .workflow_run.repository_id)]
    | max_by(.created_at) | .id // empty') || fail "The list of artifacts cannot be had; nothing was probed, the history stays as it was."
  if [[ -z $artifact ]]; then
    echo "::notice title=History::No earlier run kept one: it begins tonight."
    return
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # shellcheck disable=SC2329 # invoked by again
  download() { gh api "repos/$repository/actions/artifacts/$artifact/zip" >"$work/kept.zip"; }
  again download || fail "Artifact $artifact cannot be downloaded; nothing was probed, the history stays as it was."
  unzip -q -d "$work" "$work/kept.zip"
  if [[ -f $work/$ENCRYPTED ]]; then
    [[ -n $passphrase ]] || fail "Artifact $artifact is encrypted, and the secret MODEL_LAB_HISTORY_PASSPHRASE is not set."
    with_passphrase --output "$work/$PLAIN" --decrypt "$work/$ENCRYPTED" || fail "The secret MODEL_LAB_HISTORY_PASSPHRASE does not open artifact $artifact: set it back, or delete the artifacts named $NAME to begin anew."
  fi
  tar --extract --gzip --file="$work/$PLAIN" --directory="$state"
  echo "History of artifact $artifact."
}

pack() {
  rm -f "$PLAIN" "$ENCRYPTED"
  # Every night's artifact is a backup; the store's own is left out, and so are locks.
  tar --create --gzip --file="$PLAIN" --directory="$state" --exclude='*.backup' --exclude='*.lock' .
  if [[ -n $passphrase ]]; then
    with_passphrase --cipher-algo AES256 --output "$ENCRYPTED" --symmetric "$PLAIN"
    rm "$PLAIN"
  fi
}

case ${1:-} in
  fetch | pack) "$1" ;;
  *) echo "usage: history.sh fetch|pack" >&2 && exit 2 ;;
esac
