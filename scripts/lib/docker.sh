# shellcheck shell=bash
# The Docker daemon: makes sure that one answers.

docker_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# wait_for_docker SECONDS
wait_for_docker() {
  local end=$((SECONDS + $1))
  until docker_answers; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# remove_stale_pid_file FILE PROGRAM
# After a kill the daemon refuses to start because of its old pid file (and waits in vain for its
# containerd because of that one's), even when the number now belongs to another program, or to what
# is left of the killed one until its parent takes note: that has a name still, but no program.
remove_stale_pid_file() {
  local pid program end=$((SECONDS + 5))
  [ -e "$1" ] || return 0
  pid=$(as_root cat "$1")
  while [ "$SECONDS" -lt "$end" ]; do
    program=$(as_root readlink "/proc/$pid/exe" || true)
    if [[ $program != */"$2"* ]]; then
      as_root rm -f -- "$1"
      return
    fi
    # It may be on its way out, or just starting.
    sleep 0.2
  done
}

start_dockerd_by_hand() {
  local log flags=()
  log=$(state_dir)/dockerd.log
  mkdir -p "${log%/*}"
  # The same setting as a flag and in the file is an error to dockerd.
  if ! as_root grep -qs '"live-restore"' /etc/docker/daemon.json; then
    flags+=(--live-restore)
  fi
  remove_stale_pid_file /var/run/docker.pid dockerd
  remove_stale_pid_file /var/run/docker/containerd/containerd.pid containerd
  docker_answers && return
  say "starting dockerd (no init system here does it), log in $log"
  as_root setsid --fork dockerd "${flags[@]}" >>"$log" 2>&1 </dev/null
  wait_for_docker 60 || {
    tail -n 20 -- "$log" >&2
    fail "dockerd does not answer" "Read the lines above and $log; containers need a kernel with overlayfs, bridges and iptables, and root."
  }
}

may_use_docker() {
  docker version 2>&1 | grep -q 'permission denied' || return 0
  say "adding $(id -un) to the group docker"
  as_root usermod -aG docker "$(id -un)"
  fail "this login may not use Docker yet" "Log out and in again (or run: newgrp docker), then run this again."
}

part_docker() {
  docker_answers && return
  if [ -n "${DOCKER_HOST-}" ]; then
    fail "no Docker answers at DOCKER_HOST=$DOCKER_HOST" "Start it, or unset DOCKER_HOST to use the local one."
  fi
  may_use_docker
  if [ -d /run/systemd/system ]; then
    say "starting docker.service"
    as_root systemctl enable --now docker.service
    may_use_docker
    wait_for_docker 60 || fail "docker.service does not answer" "Look at: systemctl status docker; journalctl -u docker"
  else
    start_dockerd_by_hand
    may_use_docker
  fi
}
