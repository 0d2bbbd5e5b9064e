//! The machine, and whether what the platform stands on answers.

use super::{server::get_machine, tabs::AdminHeader};
use crate::components::{FailureView, Glyph, Icon, Loading, Panel, Tone};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use model::{
    size,
    views::{MachineView, PartView},
};

/// The page.
#[component]
pub fn MachinePage() -> impl IntoView {
    let machine = Resource::new_blocking(|| (), |()| get_machine());
    view! {
        <Title text="Machine" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match machine.await {
                    Ok(machine) => Either::Left(view! { <Machine machine /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Machine(machine: MachineView) -> impl IntoView {
    let of = |part: Option<u64>, all: Option<u64>| match (part, all) {
        (Some(part), Some(all)) => format!("{} of {}", size::human(part), size::human(all)),
        _ => "unknown".to_owned(),
    };
    let load = machine.load.map_or_else(|| "unknown".to_owned(), |load| load.map(|it| format!("{it:.2}")).join(", "));
    let facts = [
        ("WebMeteor", machine.version),
        ("Disk free", of(machine.disk_free, machine.disk_total)),
        ("Memory available", of(machine.memory_available, machine.memory_total)),
        ("Processors", machine.cpus.to_string()),
        ("Load (1, 5, 15 minutes)", load),
    ];
    view! {
        <AdminHeader title="Machine" current="/admin/machine" />
        <div class="flex max-w-2xl flex-col gap-6">
            <Panel title="Machine" flush=true>
                <dl class="facts">
                    {facts
                        .into_iter()
                        .map(|(name, value)| {
                            view! {
                                <div>
                                    <dt>{name}</dt>
                                    <dd class="tabular-nums">{value}</dd>
                                </div>
                            }
                        })
                        .collect_view()}
                </dl>
            </Panel>
            <Panel title="What it stands on" flush=true>
                <ul class="divide-y divide-base-300">
                    {machine.parts.into_iter().map(|part| view! { <Part part /> }).collect_view()}
                </ul>
            </Panel>
        </div>
    }
}

#[component]
fn Part(part: PartView) -> impl IntoView {
    let (tone, glyph, words) = if part.is_well {
        (Tone::Success, Glyph::Check, "Answers")
    } else {
        (Tone::Danger, Glyph::Alert, "Does not answer")
    };
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 text-sm sm:px-5">
            <span class="min-w-0 flex-1 break-words">
                {part.name} " " <span class="text-muted">{part.detail}</span>
            </span>
            <span class=format!("pill {}", tone.class())>
                <Icon glyph class="size-3.5" />
                {words}
            </span>
        </li>
    }
}
