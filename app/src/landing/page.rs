//! What WebMeteor is, in one look.

use crate::{
    auth::use_visitor,
    components::{Glyph, Icon},
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::components::A;
use model::views::SignupState;

/// The page.
#[component]
pub fn LandingPage() -> impl IntoView {
    view! {
        <Title text="Push. It is live." />
        <Meta
            name="description"
            content="WebMeteor puts sites live on your own machines: every push is built, checked and switched without a dropped request."
        />
        <section class="hero-sky">
            <div class="mx-auto grid max-w-6xl items-center gap-12 px-4 py-16 sm:px-6 sm:py-24 lg:grid-cols-[minmax(0,1fr)_minmax(0,28rem)]">
                <div class="flex flex-col items-start gap-6">
                    <h1 class="text-4xl font-semibold tracking-tight sm:text-5xl">
                        "Push." <br /> <span class="text-primary">"It is live."</span>
                    </h1>
                    <p class="max-w-md text-base text-muted">
                        "WebMeteor hosts sites on machines of your own. Every push is built, started beside the old release, checked, and switched without a dropped request."
                    </p>
                    <Suspense>
                        <Calls />
                    </Suspense>
                </div>
                <Terminal />
            </div>
        </section>
        <section class="mx-auto grid max-w-6xl gap-x-8 gap-y-10 px-4 py-16 sm:grid-cols-2 sm:px-6 lg:grid-cols-4" aria-label="What it does">
            <Point
                glyph=Glyph::Rocket
                title="Nothing stuck"
                text="Each deployment shows its place in the queue, its steps with their times, and its log as it happens. Cancel it whenever you like."
            />
            <Point
                glyph=Glyph::Stack
                title="Nothing dropped"
                text="The new release has to answer before it gets a request, and the old one finishes what it began. A release that fails changes nothing."
            />
            <Point
                glyph=Glyph::Box
                title="Plain containers"
                text="A Dockerfile is enough, and so is an index.html. Front end, API, live events and PostgreSQL come up together on one address."
            />
            <Point
                glyph=Glyph::Key
                title="Yours to take away"
                text="One program on one machine. Every site has a compose file that runs it without WebMeteor, and keeps answering while WebMeteor is down."
            />
        </section>
    }
}

#[component]
fn Calls() -> impl IntoView {
    let visitor = use_visitor();
    view! {
        <div class="flex flex-wrap gap-3">
            {move || Suspend::new(async move {
                let visitor = visitor.get().await.ok();
                let is_in = visitor.as_ref().is_some_and(|v| v.user.is_some());
                let may_join = visitor.is_some_and(|v| v.signup != SignupState::Closed);
                if is_in {
                    view! {
                        <A href="/sites" attr:class="btn btn-primary btn-tall">
                            "Your sites"
                            <Icon glyph=Glyph::ChevronRight />
                        </A>
                    }
                        .into_any()
                } else {
                    view! {
                        {may_join
                            .then(|| {
                                view! {
                                    <A href="/sign-up" attr:class="btn btn-primary btn-tall">
                                        "Create an account"
                                    </A>
                                }
                            })}
                        <A href="/sign-in" attr:class="btn btn-plain btn-tall">
                            "Sign in"
                        </A>
                    }
                        .into_any()
                }
            })}
        </div>
    }
}

#[component]
fn Terminal() -> impl IntoView {
    let steps = [
        ("fetch", "the commit"),
        ("build", "the images"),
        ("start", "beside the old release"),
        ("verify", "that it is well"),
        ("switch", "the route"),
    ];
    view! {
        <figure class="terminal" aria-label="An example: a push, its five steps, and the address of the site">
            <div class="terminal-bar" aria-hidden="true">
                <i></i>
                <i></i>
                <i></i>
            </div>
            <div class="terminal-body" aria-hidden="true">
                <p>
                    <span class="fg-8">"$ "</span>
                    "git push"
                </p>
                {steps
                    .into_iter()
                    .map(|(step, what)| {
                        view! {
                            <p class="flex justify-between">
                                <span>
                                    <span class="fg-10">"✓ "</span>
                                    {step}
                                </span>
                                <span class="fg-8">{what}</span>
                            </p>
                        }
                    })
                    .collect_view()}
                <p class="mt-3">
                    <span class="fg-11">"→ "</span>
                    "live at "
                    <span class="fg-14 underline">"guestbook.example.org"</span>
                </p>
            </div>
        </figure>
    }
}

#[component]
fn Point(glyph: Glyph, title: &'static str, text: &'static str) -> impl IntoView {
    view! {
        <div class="flex flex-col gap-2">
            <span class="point-glyph">
                <Icon glyph class="size-5" />
            </span>
            <h2 class="text-base font-semibold">{title}</h2>
            <p class="text-sm text-muted">{text}</p>
        </div>
    }
}
