//! Variables of an environment, and of all previews.

pub mod list;
pub mod list_of_previews;
pub mod replace;
pub mod replace_of_previews;
