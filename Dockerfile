# The platform's own image: the server, its pages and the templates.
#
#   docker build --tag webmeteor .
#
# How to run it stands in README.md, "As a container". The stages take any image with the same programs in it:
#   --build-arg RUST_IMAGE=…   Rust 1.94 or newer on Debian 12, with git and a C compiler
#   --build-arg NODE_IMAGE=…   Node.js 20 or newer with npm, under /usr/local
#   --build-arg BASE_IMAGE=…   the Debian that the program runs on; not older than the one it was built on

ARG RUST_IMAGE=rust:1.95-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS node

FROM ${RUST_IMAGE} AS builder
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /src
# The tools first: their layers last until a lock file changes.
COPY package.json package-lock.json .npmrc ./
COPY scripts/setup scripts/setup
COPY scripts/lib scripts/lib
RUN scripts/setup npm wasm-target cargo-leptos
COPY Cargo.lock ./
RUN scripts/setup wasm-bindgen
COPY . .
RUN scripts/build \
  && mkdir /out \
  && cp -a target/release/webmeteor target/release/hash.txt target/site templates /out/

FROM ${BASE_IMAGE}
# git and ssh fetch repositories; the certificates tell whom to trust.
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/webmeteor --shell /usr/sbin/nologin webmeteor \
  && install -d -o webmeteor -g webmeteor -m 0711 /var/lib/webmeteor
COPY --from=builder /out/ /opt/webmeteor/
RUN ln -s /opt/webmeteor/webmeteor /usr/local/bin/webmeteor
# No VOLUME for the data folder: Traefik mounts a part of it by its path on the host, so it has to be a folder of the
# host, mounted at the same path.
ENV WEBMETEOR_DATA_DIR=/var/lib/webmeteor \
  WEBMETEOR_LISTEN=0.0.0.0:3000 \
  WEBMETEOR_SITE_ROOT=/opt/webmeteor/site \
  WEBMETEOR_TEMPLATES_DIR=/opt/webmeteor/templates
USER 10001:10001
WORKDIR /var/lib/webmeteor
EXPOSE 3000
STOPSIGNAL SIGTERM
ENTRYPOINT ["webmeteor"]
CMD ["serve"]
