//! The real Traefik, in its container on the host's network, fed as the platform feeds it.

mod backend;
mod bench;
mod routing;
mod switching;
