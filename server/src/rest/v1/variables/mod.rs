//! Variables of an environment.

pub mod list;
pub mod replace;
