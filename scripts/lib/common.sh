# shellcheck shell=bash
# What every script here shares: where things are, how to speak, how to fail, how to become root.

# The npm tools of this checkout (tailwindcss, wasm-opt) come before others; cargo's may not be on PATH yet.
PATH=$PROJECT_ROOT/node_modules/.bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin

# The compiler's output folder; the user's own choice wins.
target_dir() { printf '%s\n' "${CARGO_TARGET_DIR:-$PROJECT_ROOT/target}"; }

# Where the scripts keep logs of daemons they started.
state_dir() { printf '%s\n' "${XDG_STATE_HOME:-$HOME/.local/state}/webmeteor"; }

say() { printf '  %s\n' "$*"; }

# fail WHAT REMEDY: ends the script. The remedy says what the reader can do about it.
fail() {
  printf '\nerror: %s\n' "$1" >&2
  [ -z "${2-}" ] || printf '       %s\n' "$2" >&2
  exit 1
}

# is_at_least WANTED VERSION: compares 1.94 with 1.94.1 as people do.
is_at_least() { printf '%s\n%s\n' "$1" "$2" | sort -CV; }

have() { command -v "$1" >/dev/null 2>&1; }

# as_root CMD…: runs the command as root, through sudo where needed.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    sudo -- "$@"
  else
    fail "\"$1\" needs root" "Install sudo, or run this as root."
  fi
}

now_ms() { printf '%s\n' "$((${EPOCHREALTIME/[^0-9]/} / 1000))"; }

# seconds MILLISECONDS: "12.3 s"
seconds() { printf '%d.%d s' "$(($1 / 1000))" "$(($1 % 1000 / 100))"; }

# scratch: a folder that is gone when the script ends. Its path is in $SCRATCH.
scratch() {
  [ -n "${SCRATCH-}" ] && return
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/webmeteor.XXXXXX")
  trap 'rm -rf -- "$SCRATCH"' EXIT
}

# A stamp tells when something was made, and from which checkout: several may share an output folder.
# It bears the time of the start, so that a change made meanwhile is not missed.
begin_stamp() {
  mkdir -p "${1%/*}"
  printf '%s\n' "$PROJECT_ROOT" >"$1.begun"
}
finish_stamp() { mv -- "$1.begun" "$1"; }

# is_fresh STAMP PATH…: is nothing below the paths newer than the stamp? Folders count too: their
# time tells of a file that was removed. A path that does not exist is passed over.
is_fresh() {
  local stamp=$1
  shift
  [ -e "$stamp" ] && [ "$(<"$stamp")" = "$PROJECT_ROOT" ] || return 1
  [ -z "$(find "$@" -name node_modules -prune -o -newer "$stamp" -print -quit 2>/dev/null)" ]
}

# quietly LOG CMD…: output goes to the log, and is shown only when the command fails.
quietly() {
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 -- "$log" >&2
    return 1
  fi
}
