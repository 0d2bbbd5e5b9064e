# shellcheck shell=bash
# The tools that come by npm.

need_node() {
  if ! have node || ! have npm; then
    fail "Node.js is missing" "Install Node.js 20 or newer with npm, then run this again."
  fi
  local version
  version=$(node --version)
  is_at_least 20 "${version#v}" || fail "Node.js ${version#v} is too old" "Install Node.js 20 or newer, then run this again."
}

# npm_ci FOLDER: installs what the lock file says, when what is there is older than the lock file.
npm_ci() {
  need_node
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] && return
  say "npm ci in ${1#"$PROJECT_ROOT"/}"
  scratch
  quietly "$SCRATCH/npm.log" npm ci --prefix "$1" --no-audit --no-fund ||
    fail "npm ci failed in $1" "Read the lines above; if the lock file is out of date, run: npm install --prefix $1"
}

part_npm() { npm_ci "$PROJECT_ROOT"; }

part_npm_end2end() {
  [ -e "$PROJECT_ROOT/end2end/package-lock.json" ] || return 0
  # The browser is Debian's.
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm_ci "$PROJECT_ROOT/end2end"
}
