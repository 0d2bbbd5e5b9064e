//! The use cases: accounts, sites, deployments, reconciling. Every one takes an Actor.
