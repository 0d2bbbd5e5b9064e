//! The frame of the pages for those who are not signed in yet.

use crate::{
    components::{Field, Mark},
    failure::Failure,
    form::Form,
};
use leptos::{
    prelude::*,
    server_fn::{ServerFn, client::Client},
};

/// A small form in the middle of the page.
#[component]
pub fn AuthFrame(
    /// The heading.
    title: &'static str,
    /// One line below it.
    #[prop(into)]
    about: String,
    /// The form.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="mx-auto flex w-full max-w-sm flex-col gap-6 py-8 sm:py-16">
            <header class="flex flex-col items-center gap-2 text-center">
                <Mark class="size-10" />
                <h1 class="mt-2 text-2xl font-semibold tracking-tight">{title}</h1>
                <p class="text-sm text-muted">{about}</p>
            </header>
            <div class="panel p-6">{children()}</div>
        </div>
    }
}

/// The address that an account is known by.
#[component]
pub fn EmailField<S>(
    /// The form it is in.
    form: Form<S>,
) -> impl IntoView
where
    S: ServerFn<Error = Failure> + Clone + Send + Sync + 'static,
    S::Client: Client<Failure>,
    S::Output: Clone + Send + Sync + 'static,
{
    view! {
        <Field
            name="email"
            label="E-mail"
            kind="email"
            autocomplete="username"
            required=true
            value=form.kept("email")
            error=form.error("email")
        />
    }
}
