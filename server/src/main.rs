//! The one program of WebMeteor.
fn main() {}
