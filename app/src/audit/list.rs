//! The entries, newest first, each as a sentence with what changed and where it came from.

use super::{
    changes::{Changes, changes},
    filters, words,
};
use crate::{
    components::{EmptyState, Glyph, Panel},
    format,
};
use leptos::prelude::*;
use model::views::{AuditFilter, AuditView, Page};

/// The panel.
#[component]
pub fn List(
    /// The entries.
    page: Page<AuditView>,
    /// What they were filtered by.
    filter: AuditFilter,
    /// The page's address.
    here: String,
    /// What the export's address says besides.
    export: Vec<(&'static str, String)>,
    /// They are the newest.
    is_newest: bool,
) -> impl IntoView {
    let is_filtered = !filter.set().is_empty();
    let file = |format: &str| {
        let mut more: Vec<(&str, &str)> = export.iter().map(|(name, value)| (*name, value.as_str())).collect();
        more.push(("format", format));
        filters::address("/audit/export", &filter, &more)
    };
    let (csv, lines) = (file("csv"), file("jsonl"));
    let files = move || {
        let (csv, lines) = (csv.clone(), lines.clone());
        view! {
            <div class="flex items-center gap-3 text-sm">
                <a href=csv rel="external" download class="link-accent" aria-label="Export as CSV">
                    "CSV"
                </a>
                <a href=lines rel="external" download class="link-accent" aria-label="Export as JSONL, lines of JSON">
                    "JSONL"
                </a>
            </div>
        }
    };
    let older = page.next_cursor.map(|cursor| filters::address(&here, &filter, &[("cursor", &cursor)]));
    let newest = (!is_newest).then(|| filters::address(&here, &filter, &[]));
    let is_empty = page.items.is_empty();
    view! {
        <Panel title="Entries" flush=true actions=files>
            {if is_empty {
                let (title, text) = if is_filtered || !is_newest {
                    ("Nothing was found", "Nothing that happened fits these filters; take one of them away.")
                } else {
                    ("Nothing happened yet", "Whoever changes something from now on is told here, with when, from where, and how it was before.")
                };
                view! { <EmptyState glyph=Glyph::Clock title text /> }.into_any()
            } else {
                view! {
                    <ul class="divide-y divide-base-300">
                        {page.items.into_iter().map(|entry| view! { <Line entry /> }).collect_view()}
                    </ul>
                }
                    .into_any()
            }}
            {(older.is_some() || newest.is_some())
                .then(|| {
                    view! {
                        <nav class="flex justify-between border-t border-base-300 px-4 py-2 sm:px-5" aria-label="Pages of entries">
                            {newest.map(|href| view! { <a href=href data-noscroll class="btn btn-ghost">"Newest"</a> })}
                            {older
                                .map(|href| view! { <a href=href data-noscroll class="btn btn-ghost ml-auto">"Older"</a> })}
                        </nav>
                    }
                })}
        </Panel>
    }
}

#[component]
fn Line(entry: AuditView) -> impl IntoView {
    let lines = changes(entry.before.as_ref(), entry.after.as_ref());
    let did = match words::phrase(&entry.action) {
        Some(words) => words.to_owned(),
        None => format!("did {} to", entry.action),
    };
    let token = entry.token.map(|token| match token.name {
        Some(name) => format!("with the token “{name}”"),
        None => "with a token that is gone".to_owned(),
    });
    view! {
        <li class="flex flex-col gap-1 px-4 py-3 sm:px-5">
            <p class="min-w-0 break-words text-sm">
                <strong class="font-medium">{entry.actor.name}</strong>
                " "
                {did}
                " "
                <strong class="font-medium">{entry.target.name}</strong>
            </p>
            <Changes changes=lines />
            <p class="flex min-w-0 flex-wrap gap-x-3 gap-y-1 text-xs text-muted">
                <time datetime=format::machine(entry.at)>{format::absolute(entry.at)}</time>
                {entry.address.map(|address| view! { <span>"from " {address.to_string()}</span> })}
                {token.map(|words| view! { <span class="break-words">{words}</span> })}
                <span class="font-mono">{entry.action}</span>
            </p>
        </li>
    }
}
