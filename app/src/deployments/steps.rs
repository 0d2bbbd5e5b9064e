//! The steps of a deployment, with their times.

use crate::{
    clock::use_clock,
    components::{Glyph, Icon},
    format,
};
use leptos::prelude::*;
use model::{
    deployment::{Step, StepStatus},
    views::StepView,
};
use time::OffsetDateTime;

/// How long something took, or has been taking.
#[component]
pub fn Elapsed(
    /// When it began.
    began: Option<OffsetDateTime>,
    /// When it ended.
    ended: Option<OffsetDateTime>,
) -> impl IntoView {
    let clock = use_clock();
    let words = Memo::new(move |_| {
        began.map(|began| format::duration(ended.unwrap_or_else(|| clock.now().max(began)) - began)).unwrap_or_default()
    });
    view! { <span class="tabular-nums">{move || words.get()}</span> }
}

fn describe(step: Step) -> (&'static str, &'static str) {
    match step {
        Step::Fetch => ("Fetch", "Get the commit"),
        Step::Build => ("Build", "Make the images"),
        Step::Start => ("Start", "New containers beside the old"),
        Step::Verify => ("Verify", "Wait until they are healthy"),
        Step::Switch => ("Switch", "Move the route"),
        Step::Drain => ("Drain", "Let the old release finish"),
    }
}

/// Picture, tone and word of a step; one that waits in a deployment that has ended was not reached.
fn state(status: StepStatus, ended: bool) -> (Glyph, &'static str, &'static str) {
    match status {
        StepStatus::Pending if ended => (Glyph::Minus, "tone-neutral", "not reached"),
        StepStatus::Pending => (Glyph::Clock, "tone-neutral", "waiting"),
        StepStatus::Running => (Glyph::Spinner, "tone-info", "running"),
        StepStatus::Done => (Glyph::Check, "tone-success", "done"),
        StepStatus::Failed => (Glyph::Alert, "tone-danger", "failed"),
        StepStatus::Skipped => (Glyph::Minus, "tone-neutral", "skipped"),
    }
}

/// The steps in order.
#[component]
pub fn Steps(
    /// They change as the deployment goes on.
    #[prop(into)]
    steps: Signal<Vec<StepView>>,
    /// Nothing more will happen.
    #[prop(into)]
    ended: Signal<bool>,
) -> impl IntoView {
    view! {
        <ol class="steps-list">
            <For
                each=move || {
                    let ended = ended.get();
                    steps.get().into_iter().map(move |step| (step, ended)).collect::<Vec<_>>()
                }
                key=|(s, ended)| (s.name, s.status, s.started_at, s.finished_at, *ended)
                let((step, ended))
            >
                {
                    let (title, about) = describe(step.name);
                    let (glyph, tone, word) = state(step.status, ended);
                    view! {
                        <li class=format!(
                            "step-item {tone}",
                        ) aria-current=(step.status == StepStatus::Running).then_some("step")>
                            <span class="step-glyph">
                                <Icon glyph class="size-4" />
                            </span>
                            <span class="min-w-0 flex-1">
                                <span class="block text-sm font-medium">{title}</span>
                                <span class="block truncate text-xs text-muted">{about}</span>
                            </span>
                            <span class="text-right text-xs text-muted">
                                <span class="sr-only">{word}</span>
                                {match step.status {
                                    StepStatus::Pending | StepStatus::Skipped => None,
                                    _ => Some(view! { <Elapsed began=step.started_at ended=step.finished_at /> }),
                                }}
                            </span>
                        </li>
                    }
                }
            </For>
        </ol>
    }
}
