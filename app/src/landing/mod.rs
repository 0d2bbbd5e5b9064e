//! The page that a stranger sees first.

mod page;

pub use page::LandingPage;
