//! A form that posts to a server function, with and without JavaScript, and what came of it.

use crate::{
    boot::Boot,
    components::{Alert, Tone},
    failure::Failure,
};
use leptos::{
    prelude::*,
    server_fn::{ServerFn, client::Client},
};
use model::views::DeployKeyView;

/// A server function behind a form: dispatch, progress, and the messages beside the fields.
pub struct Form<S: ServerFn + 'static>
where
    S::Output: 'static,
{
    /// For `<ActionForm action=form.action>`.
    pub action: ServerAction<S>,
    /// Why it was refused the last time.
    pub failure: Signal<Option<Failure>>,
    /// Waits for the server.
    pub pending: Signal<bool>,
    kept: StoredValue<Option<Failure>>,
}

impl<S: ServerFn> Clone for Form<S>
where
    S::Output: 'static,
{
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: ServerFn> Copy for Form<S> where S::Output: 'static {}

impl<S> Form<S>
where
    S: ServerFn<Error = Failure> + Clone + Send + Sync + 'static,
    S::Client: Client<Failure>,
    S::Output: Clone + Send + Sync + 'static,
{
    /// A form for `S`; one that was just posted without JavaScript begins with its refusal.
    pub fn new() -> Self {
        let action = ServerAction::<S>::new();
        let refused = use_context::<Boot>().and_then(|boot| boot.refusal_of(S::PATH));
        let kept = StoredValue::new(refused);
        let value = action.value();
        let failure = Signal::derive(move || match &*value.read() {
            Some(Err(failure)) => Some(failure.clone()),
            Some(Ok(_)) => None,
            None => kept.get_value(),
        });
        Self { action, failure, pending: action.pending().into(), kept }
    }
    /// The message for a field.
    pub fn error(self, field: &'static str) -> Signal<Option<String>> {
        let failure = self.failure;
        Signal::derive(move || failure.read().as_ref().and_then(|f| f.field(field).map(ToOwned::to_owned)))
    }
    /// The message that belongs to none of these fields.
    pub fn error_beside(self, fields: &'static [&'static str]) -> Signal<Option<String>> {
        let failure = self.failure;
        Signal::derive(move || failure.read().as_ref().and_then(|f| f.beside(fields).map(ToOwned::to_owned)))
    }
    /// The message that belongs to none of these fields, to stand above them.
    pub fn refusal(self, fields: &'static [&'static str]) -> impl IntoView {
        let message = self.error_beside(fields);
        move || message.get().map(|message| view! { <Alert tone=Tone::Danger>{message}</Alert> })
    }
    /// The deploy key that came with the refusal.
    pub fn deploy_key(self) -> Signal<Option<DeployKeyView>> {
        let failure = self.failure;
        Signal::derive(move || failure.read().as_ref().and_then(|f| f.problem.deploy_key.as_deref().cloned()))
    }
    /// What was typed in a field before the page was loaded anew.
    pub fn kept(self, field: &str) -> Option<String> {
        self.kept.with_value(|refused| refused.as_ref().and_then(|f| f.kept(field).map(ToOwned::to_owned)))
    }
    /// It was posted without JavaScript and refused.
    pub fn was_refused(self) -> bool {
        self.kept.with_value(Option::is_some)
    }
    /// Runs each time the server has done it from now on: a part of the page that is made anew is not told of what was
    /// done before.
    pub fn on_done(self, done: impl Fn(S::Output) + 'static) {
        let (value, version) = (self.action.value(), self.action.version());
        Effect::new(move |before: Option<usize>| {
            let now = version.get();
            if before.is_some_and(|before| before != now)
                && let Some(Ok(output)) = value.get_untracked()
            {
                untrack(|| done(output));
            }
            now
        });
    }
}

impl<S> Default for Form<S>
where
    S: ServerFn<Error = Failure> + Clone + Send + Sync + 'static,
    S::Client: Client<Failure>,
    S::Output: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

/// Loads a page from the server, for when who is signed in has changed and nothing on this page holds any more.
pub fn load_page(path: &str) {
    #[cfg(feature = "hydrate")]
    if let Err(error) = window().location().assign(path) {
        leptos::logging::error!("cannot open {path}: {error:?}");
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = path;
}
