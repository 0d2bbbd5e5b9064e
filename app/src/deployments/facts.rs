//! What there is to know of a deployment: when, what, by whom, and where it is on the forge.

use super::{list::describe_trigger, steps::Elapsed};
use crate::{components::TimeAgo, format::short_commit};
use leptos::{either::Either, prelude::*};
use model::views::{DeploymentView, Verdict, WatchView};

/// The list of facts.
#[component]
pub fn Facts(
    /// Of this one.
    deployment: RwSignal<DeploymentView>,
) -> impl IntoView {
    let summary = Memo::new(move |_| deployment.read().summary.clone());
    let watch = Memo::new(move |_| deployment.read().watch.clone());
    let forge = Memo::new(move |_| (deployment.read().commit_url.clone(), deployment.read().pull_request.clone()));
    view! {
        <section aria-label="Details" class="panel">
            {move || {
                let it = summary.get();
                let (commit_url, pull_request) = forge.get();
                view! {
                    <dl class="facts">
                        <div>
                            <dt>"Asked for"</dt>
                            <dd>
                                <TimeAgo at=it.created_at />
                            </dd>
                        </div>
                        <div>
                            <dt>"Trigger"</dt>
                            <dd>{describe_trigger(it.trigger)}</dd>
                        </div>
                        {it
                            .started_at
                            .map(|began| {
                                view! {
                                    <div>
                                        <dt>"Took"</dt>
                                        <dd>
                                            <Elapsed began=Some(began) ended=it.finished_at />
                                        </dd>
                                    </div>
                                }
                            })}
                        {it
                            .branch
                            .map(|branch| {
                                view! {
                                    <div>
                                        <dt>"Branch"</dt>
                                        <dd class="truncate">{branch}</dd>
                                    </div>
                                }
                            })}
                        {it
                            .commit
                            .map(|commit| {
                                view! {
                                    <div>
                                        <dt>"Commit"</dt>
                                        <dd class="font-mono" title=commit.clone()>
                                            {linked(commit_url.clone(), short_commit(&commit))}
                                        </dd>
                                    </div>
                                }
                            })}
                        {it
                            .author
                            .map(|author| {
                                view! {
                                    <div>
                                        <dt>"Author"</dt>
                                        <dd class="truncate">{author}</dd>
                                    </div>
                                }
                            })}
                        {pull_request
                            .map(|pull| {
                                view! {
                                    <div>
                                        <dt>"Pull request"</dt>
                                        <dd class="truncate" title=pull.title>
                                            {linked(pull.url, format!("#{}", pull.number))}
                                        </dd>
                                    </div>
                                }
                            })}
                        <div>
                            <dt>"Environment"</dt>
                            <dd>{it.environment}</dd>
                        </div>
                        {watch
                            .get()
                            .map(|watch| {
                                view! {
                                    <div>
                                        <dt>"After the switch"</dt>
                                        <dd>{describe_watch(&watch)}</dd>
                                    </div>
                                    <div>
                                        <dt title="Answers 502, 503 and 504 of the proxy while the old release gave way">
                                            "Requests dropped"
                                        </dt>
                                        <dd>{watch.failed_requests}</dd>
                                    </div>
                                }
                            })}
                    </dl>
                }
            }}
        </section>
    }
}

/// Words that lead to the forge, where it is known.
fn linked(url: Option<String>, words: String) -> impl IntoView {
    match url {
        Some(url) => Either::Left(view! {
            <a href=url rel="external noreferrer" class="link-accent">
                {words}
            </a>
        }),
        None => Either::Right(words),
    }
}

/// One line on what was seen after the switch.
fn describe_watch(watch: &WatchView) -> &'static str {
    match watch.verdict {
        Verdict::Watching => "Being watched",
        Verdict::Well => "Well",
        Verdict::Unwell => "Not well",
        Verdict::RolledBack => "Rolled back by itself",
        Verdict::Replaced => "Replaced by another",
    }
}
