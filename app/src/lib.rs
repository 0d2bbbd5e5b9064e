//! The dashboard: Leptos pages and server functions.
