//! The log of a deployment: live, coloured, followed, searched, each line with an address.
//!
//! Lines are set as HTML in blocks, not as one view each: ten thousand lines then cost the browser little more than
//! their text. What the page's own blocks need from the browser is in [`super::log_dom`].

use super::{log_buffer::LogBuffer, log_html};
use crate::{
    components::{Glyph, Icon, use_toasts},
    live,
};
use leptos::{html, prelude::*};
use model::{DeploymentId, views::LogPage};

/// What the view and the browser's part of it share.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
pub struct Log {
    /// Whose log.
    pub id: DeploymentId,
    /// The lines that are here.
    pub buffer: StoredValue<LogBuffer>,
    /// Holds the blocks of lines.
    pub lines: NodeRef<html::Div>,
    /// Scrolls.
    pub frame: NodeRef<html::Div>,
    /// Keeps only the blocks near what is seen.
    #[cfg(feature = "hydrate")]
    pub window: StoredValue<Option<super::log_window::Window>, LocalStorage>,
    /// Where it was scrolled to.
    pub top: StoredValue<i32>,
    /// A finger is on it: it stays where the finger has it.
    pub held: StoredValue<bool>,
    /// How many lines are here.
    pub count: RwSignal<usize>,
    /// New lines are scrolled into view.
    pub follow: RwSignal<bool>,
    /// What is searched for.
    pub search: Search,
    /// There were no further lines when the page was made.
    pub is_complete: bool,
    /// More lines will come.
    pub running: Signal<bool>,
    /// The last lines tell most: the deployment failed.
    pub from_end: bool,
}

/// The view.
#[component]
pub fn LogView(
    /// Whose log.
    id: DeploymentId,
    /// Its first lines.
    log: LogPage,
    /// The line they stand behind.
    after: i64,
    /// The deployment has not ended: more lines will come.
    running: Signal<bool>,
    /// Begin at the end: the last lines tell why it failed.
    from_end: bool,
) -> impl IntoView {
    let first = log_html::blocks(&log.items);
    let is_complete = log.complete;
    let removed_at = log.removed_at;
    let buffer = StoredValue::new(LogBuffer::new(after, log.items));
    let first_last = buffer.with_value(LogBuffer::last);
    let log = Log {
        id,
        buffer,
        lines: NodeRef::new(),
        frame: NodeRef::new(),
        #[cfg(feature = "hydrate")]
        window: StoredValue::new_local(None),
        top: StoredValue::new(0),
        held: StoredValue::new(false),
        count: RwSignal::new(buffer.with_value(|b| b.items().len())),
        follow: RwSignal::new(false),
        search: Search::new(),
        is_complete,
        running,
        from_end,
    };
    let Log { lines, frame, count, follow, search, .. } = log;
    let times = RwSignal::new(false);
    let wrap = RwSignal::new(true);
    #[cfg(feature = "hydrate")]
    super::log_dom::start(log);
    let on_scroll = move |_| {
        #[cfg(feature = "hydrate")]
        super::log_dom::scrolled(log);
    };
    let on_wheel = move |ev: leptos::ev::WheelEvent| {
        #[cfg(feature = "hydrate")]
        if ev.delta_y() < 0.0 {
            super::log_dom::reads(log);
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = ev;
    };
    let on_key = move |ev: leptos::ev::KeyboardEvent| {
        #[cfg(feature = "hydrate")]
        if matches!(ev.key().as_str(), "ArrowUp" | "PageUp" | "Home") {
            super::log_dom::reads(log);
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = ev;
    };
    let touched = move |is_held: bool| move |_: leptos::ev::TouchEvent| log.held.set_value(is_held);
    let toasts = use_toasts();
    let on_click = move |ev: leptos::ev::MouseEvent| {
        #[cfg(feature = "hydrate")]
        super::log_dom::clicked(log, &ev, toasts);
        #[cfg(not(feature = "hydrate"))]
        let _ = (ev, toasts);
    };
    let connected = live::connected();
    view! {
        <section class="log" aria-labelledby="log-heading">
            <header class="log-bar">
                <h2 id="log-heading" class="text-sm font-semibold">
                    "Log"
                </h2>
                <span class="text-xs opacity-80">
                    {move || match count.get() {
                        1 => "1 line".to_owned(),
                        n => format!("{n} lines"),
                    }}
                </span>
                {move || {
                    (!connected.get() && running.get())
                        .then(|| view! { <span class="text-xs" role="status">"Connection lost; trying again…"</span> })
                }}
                <SearchBox search />
                <LogButtons follow times wrap id />
            </header>
            <div
                node_ref=frame
                class="log-frame"
                class:log-times=move || times.get()
                class:log-wrap=move || wrap.get()
                role="region"
                aria-label="Lines of the log"
                tabindex="0"
                on:scroll=on_scroll
                on:wheel=on_wheel
                on:keydown=on_key
                on:touchstart=touched(true)
                on:touchend=touched(false)
                on:touchcancel=touched(false)
                on:click=on_click
            >
                <div node_ref=lines inner_html=first></div>
                {move || {
                    (count.get() == 0)
                        .then(|| {
                            view! {
                                <p class="log-empty">
                                    {match removed_at {
                                        Some(at) => {
                                            format!(
                                                "The lines of this log were removed on {}: logs are kept for a time only.",
                                                at.date(),
                                            )
                                        }
                                        None if running.get() => "Lines appear here as they happen.".to_owned(),
                                        None => "Nothing was logged.".to_owned(),
                                    }}
                                </p>
                            }
                        })
                }}
                {move || {
                    (running.get() && count.get() > 0)
                        .then(|| view! { <p class="log-cursor" aria-hidden="true"></p> })
                }}
            </div>
            {(after > 0 || !is_complete)
                .then(|| {
                    view! {
                        <p class="js-hidden log-more">
                            <a href=format!("/deployments/{id}?after={first_last}") class="underline">
                                "Further lines"
                            </a>
                        </p>
                    }
                })}
            {move || {
                (running.get() && !follow.get() && count.get() > 0)
                    .then(|| {
                        view! {
                            <button type="button" class="log-jump needs-js" on:click=move |_| follow.set(true)>
                                <Icon glyph=Glyph::ArrowDown class="size-3.5" />
                                "Follow"
                            </button>
                        }
                    })
            }}
        </section>
    }
}

/// What is searched for, and where it was found.
#[derive(Clone, Copy)]
pub struct Search {
    /// What was typed.
    pub query: RwSignal<String>,
    /// Numbers of the lines that have it.
    pub hits: RwSignal<Vec<i64>>,
    /// The hit that is shown, from 0.
    pub current: RwSignal<usize>,
}

impl Search {
    fn new() -> Self {
        Self { query: RwSignal::new(String::new()), hits: RwSignal::new(Vec::new()), current: RwSignal::new(0) }
    }
    /// Goes to the next hit, or the one before.
    pub fn step(self, forward: bool) {
        let count = self.hits.read_untracked().len();
        if count > 0 {
            self.current.update(|current| *current = (*current + if forward { 1 } else { count - 1 }) % count);
        }
    }
}

#[component]
fn SearchBox(search: Search) -> impl IntoView {
    let found = move || {
        let count = search.hits.read().len();
        match (search.query.read().is_empty(), count) {
            (true, _) => String::new(),
            (false, 0) => "None".to_owned(),
            (false, count) => format!("{} of {count}", search.current.get() + 1),
        }
    };
    let on_key = move |ev: leptos::ev::KeyboardEvent| match ev.key().as_str() {
        "Enter" => {
            ev.prevent_default();
            search.step(!ev.shift_key());
        }
        "Escape" => search.query.set(String::new()),
        _ => {}
    };
    view! {
        <div class="log-search needs-js" role="search">
            <Icon glyph=Glyph::Search class="size-3.5" />
            <label class="sr-only" for="log-search">
                "Search the log"
            </label>
            <input
                id="log-search"
                type="search"
                placeholder="Search"
                autocomplete="off"
                spellcheck="false"
                prop:value=move || search.query.get()
                on:input=move |ev| search.query.set(event_target_value(&ev))
                on:keydown=on_key
            />
            <span class="log-found" aria-live="polite">
                {found}
            </span>
            <button type="button" class="log-icon" aria-label="Hit before" on:click=move |_| search.step(false)>
                <Icon glyph=Glyph::ChevronUp class="size-3.5" />
            </button>
            <button type="button" class="log-icon" aria-label="Next hit" on:click=move |_| search.step(true)>
                <Icon glyph=Glyph::ChevronDown class="size-3.5" />
            </button>
        </div>
    }
}

#[component]
fn LogButtons(follow: RwSignal<bool>, times: RwSignal<bool>, wrap: RwSignal<bool>, id: DeploymentId) -> impl IntoView {
    let toggle = |signal: RwSignal<bool>, glyph: Glyph, label: &'static str| {
        view! {
            <button
                type="button"
                class="log-icon"
                title=label
                aria-label=label
                aria-pressed=move || if signal.get() { "true" } else { "false" }
                on:click=move |_| signal.update(|on| *on = !*on)
            >
                <Icon glyph />
            </button>
        }
    };
    view! {
        <div class="flex items-center gap-0.5">
            <span class="contents needs-js">
                {toggle(follow, Glyph::ArrowDown, "Follow")} {toggle(times, Glyph::Clock, "Times")}
                {toggle(wrap, Glyph::Wrap, "Wrap lines")}
            </span>
            <a
                href=format!("/deployments/{id}/log.txt")
                download
                rel="external"
                class="log-icon"
                title="Download"
                aria-label="Download the log"
            >
                <Icon glyph=Glyph::Download />
            </a>
        </div>
    }
}
