# shellcheck shell=bash
# The Rust side: the wasm target and the two build tools.

CARGO_LEPTOS_VERSION=0.3.10
# Taken only while there is no Cargo.lock to read it from.
WASM_BINDGEN_VERSION=0.2.130
WASM_TARGET=wasm32-unknown-unknown

need_rust() {
  if ! have cargo || ! have rustc; then
    fail "Rust is missing" "Install it with rustup (the way the Rust project's home page shows), then run this again."
  fi
  # In an image's early layers the project itself is not there yet.
  [ -e "$PROJECT_ROOT/Cargo.toml" ] || return 0
  local wanted
  wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$PROJECT_ROOT/Cargo.toml")
  is_at_least "$wanted" "$(rust_version)" ||
    fail "Rust $(rust_version) is too old" "Install $wanted or newer (with rustup: rustup update), then run this again."
}

rust_version() { rustc --version | cut -d' ' -f2; }

rustlib() { printf '%s/lib/rustlib\n' "$(rustc --print sysroot)"; }

has_wasm_target() { compgen -G "$(rustlib)/$WASM_TARGET/lib/libcore-*.rlib" >/dev/null; }

# The mirrors this machine already uses for Debian itself.
debian_mirrors() {
  # shellcheck disable=SC2016 # The format is apt's own, not the shell's.
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | sort -u
}

# fetch_rust_src FOLDER: unpacks the standard library's source of the compiler's very version there.
# An apt of its own (lists, cache, sources) leaves the machine's settings alone and needs no root.
fetch_rust_src() {
  local apt=$1/apt version exact options mirror
  version=$(rust_version)
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
  while read -r mirror; do
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie-backports main\n' "$mirror"
  done < <(debian_mirrors) >"$apt/sources.list"
  options=(-o "Dir::State=$apt/state" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$apt/cache"
    -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=)
  quietly "$1/apt.log" apt-get "${options[@]}" update || return 1
  exact=$(apt-cache "${options[@]}" madison rust-src | cut -d'|' -f2 | tr -d ' ' | grep -F -m1 -- "$version+") || return 1
  (cd "$apt" && quietly "$1/apt.log" apt-get "${options[@]}" download "rust-src=$exact") || return 1
  dpkg -x "$apt"/rust-src_*.deb "$1/rust-src"
}

# Builds the standard library for the target in an empty crate, and puts the result where rustup would.
build_std() {
  local lib source link made=
  lib=$(rustlib)
  link=$lib/src/rust
  source=$(find "$1/rust-src/usr/src" -mindepth 1 -maxdepth 1 -type d -name 'rustc-*')
  if [ ! -e "$link" ]; then
    mkdir -p "${link%/*}"
    ln -sfn "$source" "$link"
    made=yes
  fi
  mkdir -p "$1/empty/src"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >"$1/empty/Cargo.toml"
  : >"$1/empty/src/lib.rs"
  (
    cd "$1/empty"
    RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$1/empty/target quietly "$1/build-std.log" cargo build --release \
      -Z build-std=std,panic_abort,panic_unwind,proc_macro --target "$WASM_TARGET"
  ) || {
    [ -z "$made" ] || rm -f -- "$link"
    return 1
  }
  [ -z "$made" ] || rm -f -- "$link"
  mkdir -p "$lib/$WASM_TARGET/lib"
  find "$1/empty/target/$WASM_TARGET/release/deps" -name '*.rlib' ! -name 'libempty-*' \
    -exec cp --target-directory="$lib/$WASM_TARGET/lib" -- {} +
}

part_wasm_target() {
  need_rust
  has_wasm_target && return
  if have rustup; then
    say "rustup target add $WASM_TARGET"
    timeout 300 rustup target add "$WASM_TARGET" >/dev/null 2>&1 && has_wasm_target && return
  fi
  say "rustup cannot fetch it: building the standard library from Debian's rust-src $(rust_version)"
  scratch
  if ! fetch_rust_src "$SCRATCH" || ! build_std "$SCRATCH" || ! has_wasm_target; then
    fail "the target $WASM_TARGET is missing, and Debian has no rust-src $(rust_version) to build it from" \
      "Run: rustup target add $WASM_TARGET"
  fi
}

# install_tool LOG ARG…: --debug: as a release build such a tool takes up to four times as long, and all
# it does is start other programs.
install_tool() {
  local log=$1
  shift
  quietly "$log" env CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 cargo install --debug --force "$@"
}

# has_tool NAME VERSION: is that version of the program on PATH?
has_tool() { have "$1" && [[ " $("$1" --version 2>/dev/null) " == *" $2 "* ]]; }

part_cargo_leptos() {
  need_rust
  has_tool cargo-leptos "$CARGO_LEPTOS_VERSION" && return
  say "cargo install cargo-leptos $CARGO_LEPTOS_VERSION (about four minutes)"
  scratch
  install_tool "$SCRATCH/cargo-leptos.log" --locked "cargo-leptos@$CARGO_LEPTOS_VERSION" ||
    fail "cargo-leptos did not build" "Read the lines above."
}

# wasm_bindgen_version: it must be that of the library the frontend is linked with.
wasm_bindgen_version() {
  local lock=$PROJECT_ROOT/Cargo.lock version=
  if [ -e "$lock" ]; then
    version=$(grep -A1 -Fx 'name = "wasm-bindgen"' "$lock" | sed -n 's/^version = "\(.*\)"$/\1/p')
  fi
  printf '%s\n' "${version:-$WASM_BINDGEN_VERSION}"
}

part_wasm_bindgen() {
  local version
  need_rust
  version=$(wasm_bindgen_version)
  has_tool wasm-bindgen "$version" && return
  say "cargo install wasm-bindgen-cli $version"
  scratch
  install_tool "$SCRATCH/wasm-bindgen.log" "wasm-bindgen-cli@$version" ||
    fail "wasm-bindgen-cli did not build" "Read the lines above."
}
