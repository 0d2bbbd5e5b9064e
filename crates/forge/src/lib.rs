//! Forges and Git: webhook signatures and payloads, fetching, hosted repositories, finding services.
