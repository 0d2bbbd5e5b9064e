//! Asking for a link that sets another password.

use super::{
    frame::{AuthFrame, EmailField},
    server::RequestReset,
};
use crate::{
    components::{Button, Look},
    form::{Form, load_page},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::components::A;

/// The page.
#[component]
pub fn ForgotPage() -> impl IntoView {
    let form = Form::<RequestReset>::new();
    form.on_done(|next| load_page(&next));
    view! {
        <Title text="Forgot your password" />
        <Meta name="description" content="Set another password for your WebMeteor account." />
        <AuthFrame title="Forgot your password?" about="A link to set another one is sent to your address.">
            <ActionForm action=form.action attr:class="flex flex-col gap-4">
                {form.refusal(&["email"])}
                <EmailField form />
                <Button kind="submit" look=Look::Primary class="w-full" busy=form.pending>
                    "Send the link"
                </Button>
            </ActionForm>
        </AuthFrame>
        <p class="text-center text-sm text-muted">
            "Remembered it? " <A href="/sign-in" attr:class="link-accent">
                "Sign in"
            </A>
        </p>
    }
}
