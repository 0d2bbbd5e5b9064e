//! A DNS record to take away, part by part.

use crate::components::CopyButton;
use leptos::prelude::*;
use model::views::DnsRecord;

/// The record: its type, its name and its value, the last two with a button that copies.
#[component]
pub fn Record(
    /// The record.
    record: DnsRecord,
) -> impl IntoView {
    let DnsRecord { kind, name, value } = record;
    view! {
        <dl class="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-4 gap-y-1 text-sm">
            <dt class="text-muted">"Type"</dt>
            <dd class="font-mono">{kind}</dd>
            <dt class="text-muted">"Name"</dt>
            <dd class="flex min-w-0 items-center gap-1">
                <code class="min-w-0 break-all font-mono">{name.clone()}</code>
                <CopyButton text=Signal::stored(name) of="the record's name" />
            </dd>
            <dt class="text-muted">"Value"</dt>
            <dd class="flex min-w-0 items-center gap-1">
                <code class="min-w-0 break-all font-mono">{value.clone()}</code>
                <CopyButton text=Signal::stored(value) of="the record's value" />
            </dd>
        </dl>
    }
}
