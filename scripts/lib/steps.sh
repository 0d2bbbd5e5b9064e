# shellcheck shell=bash
# Runs a list of commands to its end, keeps each one's output, and tells at the end how each went.

STEP_LINES=()
STEPS_FAILED=()

report_dir() { printf '%s/test-reports\n' "$(target_dir)"; }

step_log() { printf '%s/%s.log\n' "$(report_dir)" "$1"; }

# step NAME CMD…: never ends the script; a failure is remembered for report_steps.
step() {
  local name=$1 began took result=ok
  shift
  mkdir -p "$(report_dir)"
  printf '\n== %s: %s\n' "$name" "$*"
  began=$(now_ms)
  if ! "$@" </dev/null 2>&1 | tee "$(step_log "$name")"; then
    result=FAILED
    STEPS_FAILED+=("$name")
  fi
  took=$(($(now_ms) - began))
  STEP_LINES+=("$(printf '%-16s %-8s %10s' "$name" "$result" "$(seconds "$took")")")
}

# skip_step NAME REASON
skip_step() { STEP_LINES+=("$(printf '%-16s %-8s (%s)' "$1" "not run" "$2")"); }

# report_steps: prints the table; false when a step failed.
report_steps() {
  printf '\n== result\n'
  printf '%s\n' "${STEP_LINES[@]}"
  [ ${#STEPS_FAILED[@]} -eq 0 ] || {
    printf 'failed: %s (output in %s)\n' "${STEPS_FAILED[*]}" "$(report_dir)"
    return 1
  }
}
