//! Traefik: routes as dynamic files, its static configuration, and the compose file of a site.
