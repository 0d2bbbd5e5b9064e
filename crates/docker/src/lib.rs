//! The engine that runs containers: one trait, one implementation on bollard, and a fake for its faults.
