# shellcheck shell=bash
# The lints, as steps.

SHELL_SCRIPTS=(scripts/build scripts/check scripts/clean scripts/dev scripts/e2e scripts/in-test-db
  scripts/run scripts/setup scripts/test scripts/lib/*.sh scripts/images/postgres/entrypoint .ci/run)

lint_steps() {
  step fmt cargo fmt --all --check
  step clippy-server cargo clippy --workspace --exclude frontend --all-targets -- -D warnings
  step clippy-browser cargo clippy -p frontend --target wasm32-unknown-unknown -- -D warnings
  # These are for who has them; none is needed to work here.
  ! have cargo-deny || step deny cargo deny check bans licenses sources
  ! have cargo-machete || step machete cargo machete
  ! have shellcheck || step shellcheck shellcheck "${SHELL_SCRIPTS[@]}"
}
