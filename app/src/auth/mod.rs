//! Signing up, in and out.

mod confirm_page;
mod done_page;
mod forgot_page;
mod frame;
mod passkey_button;
mod providers;
mod reset_page;
mod second_step_page;
mod server;
mod sign_in_page;
mod sign_up_page;

pub use confirm_page::ConfirmPage;
pub use done_page::DonePage;
pub(crate) use done_page::LOGGED;
pub use forgot_page::ForgotPage;
pub use frame::AuthFrame;
pub use reset_page::ResetPage;
pub use second_step_page::SecondStepPage;
pub use server::{SignOut, Visitor, get_visitor, sign_out};
pub use sign_in_page::SignInPage;
pub use sign_up_page::SignUpPage;

use crate::failure::Failure;
use leptos::prelude::*;

/// Where the second step of signing in is done.
#[cfg(feature = "ssr")]
const SECOND_STEP: &str = "/sign-in/code";

/// Who looks at the page, asked once for all pages.
#[derive(Clone, Copy)]
pub struct VisitorResource(Resource<Result<Visitor, Failure>>);

impl VisitorResource {
    /// To be called once, in the root component.
    pub fn provide() -> Self {
        let visitor = Self(Resource::new_blocking(|| (), |()| get_visitor()));
        provide_context(visitor);
        visitor
    }
    /// Waits for the answer.
    pub async fn get(self) -> Result<Visitor, Failure> {
        self.0.await
    }
    /// Asks again: the name has changed, say.
    pub fn refresh(self) {
        self.0.refetch();
    }
}

/// Who looks at the page.
pub fn use_visitor() -> VisitorResource {
    expect_context()
}
