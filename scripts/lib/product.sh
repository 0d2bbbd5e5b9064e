# shellcheck shell=bash
# Building and starting the product itself.

SOURCES=(Cargo.toml Cargo.lock app crates frontend migrations package-lock.json public server style templates)

product_binary() { printf '%s/release/webmeteor\n' "$(target_dir)"; }
product_site() { printf '%s/site\n' "$(target_dir)"; }
product_stamp() { printf '%s/webmeteor.built\n' "$(target_dir)"; }

# Cargo would find out too, but cargo-leptos empties and rebuilds the site each time.
product_is_fresh() {
  [ -x "$(product_binary)" ] && [ -d "$(product_site)/pkg" ] && is_fresh "$(product_stamp)" "${SOURCES[@]}"
}

# Scripts for the browser that are served as they come.
vendor_scripts() {
  local from=node_modules/socket.io-client/dist/socket.io.min.js to=public/vendor/socket.io.min.js
  [ -e "$from" ] || fail "$from is missing" "Run: scripts/setup npm"
  cmp -s -- "$from" "$to" && return
  mkdir -p "${to%/*}"
  cp -- "$from" "$to"
}

build_product() {
  begin_stamp "$(product_stamp)"
  LEPTOS_SITE_ROOT=$(product_site) cargo leptos build --release --precompress
  finish_stamp "$(product_stamp)"
}

# What a start from the checkout assumes; the user's own settings win.
export_run_settings() {
  export WEBMETEOR_DATA_DIR=${WEBMETEOR_DATA_DIR:-./data}
  export WEBMETEOR_SIGNUP=${WEBMETEOR_SIGNUP:-open}
  export WEBMETEOR_SITE_ROOT=${WEBMETEOR_SITE_ROOT:-$(product_site)}
}
