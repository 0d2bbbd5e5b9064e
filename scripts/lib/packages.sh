# shellcheck shell=bash
# Debian packages.

BASE_PACKAGES=(
  ca-certificates curl git openssh-client build-essential pkg-config iproute2 iptables util-linux postgresql docker.io
)
TEST_PACKAGES=(chromium openssh-server)

# A Docker that came another way (Docker's own packages, a tarball) is as good as Debian's.
packages_wanted() {
  local name
  for name in "${BASE_PACKAGES[@]}"; do
    case $name in
      docker.io) have dockerd || printf '%s\n' "$name" ;;
      *) printf '%s\n' "$name" ;;
    esac
  done
  [ -z "${WITH_TESTS-}" ] || printf '%s\n' "${TEST_PACKAGES[@]}"
}

# packages_missing NAME…: those of the names that are not installed.
packages_missing() {
  local installed name
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    [[ $'\n'$installed$'\n' == *$'\n'"$name installed"$'\n'* ]] || printf '%s\n' "$name"
  done
}

# install_packages NAME…: does nothing when all are there.
install_packages() {
  local missing
  mapfile -t missing < <(packages_missing "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  have apt-get || fail "these packages are missing: ${missing[*]}" \
    "This is not Debian or Ubuntu: install them, or what your system calls them, and run this again."
  say "installing ${missing[*]}"
  scratch
  quietly "$SCRATCH/apt.log" as_root apt-get update ||
    fail "apt-get update failed" "Read the lines above; check the network and /etc/apt/sources.list."
  quietly "$SCRATCH/apt.log" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}" "Read the lines above, then run this again."
}

# The platform runs a PostgreSQL cluster of its own, so Debian's need not be made and started.
no_default_cluster() {
  local conf=/etc/postgresql-common/createcluster.d/webmeteor.conf
  if [ -n "$(packages_missing postgresql)" ] && [ ! -e "$conf" ]; then
    as_root mkdir -p "${conf%/*}"
    printf 'create_main_cluster = false\n' | as_root tee "$conf" >/dev/null
  fi
}

# Sites must stay up while the daemon restarts. Only where Docker is not set up yet: a machine's own
# settings are left alone, and swarm mode cannot be combined with this.
live_restore_by_default() {
  local conf=/etc/docker/daemon.json
  if ! have dockerd && [ ! -e "$conf" ]; then
    as_root mkdir -p "${conf%/*}"
    printf '{ "live-restore": true }\n' | as_root tee "$conf" >/dev/null
  fi
}

part_packages() {
  local wanted
  mapfile -t wanted < <(packages_wanted)
  no_default_cluster
  live_restore_by_default
  install_packages "${wanted[@]}"
}
